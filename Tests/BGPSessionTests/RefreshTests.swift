import BGPSession
import BGPWire
import Testing

@Suite("ROUTE-REFRESH and its markers (RFC 2918, 7313)")
struct RefreshTests {
    @Test(
        "a request passes, markers where both sides know of them, a later subtype never",
        arguments: [
            (RouteRefreshMessage.Subtype.request, false, true), (.request, true, true), (.begin, false, false),
            (.begin, true, true), (.end, false, false), (.end, true, true), (.unknown(7), true, false),
        ])
    func subtypes(subtype: RouteRefreshMessage.Subtype, isEnhanced: Bool, passes: Bool) {
        var driver = Driver()
        driver.establish(Fixture.open(others: isEnhanced ? [.enhancedRouteRefresh] : []))
        let message = RouteRefreshMessage(family: .ipv4Unicast, subtype: subtype)
        driver.handle(Fixture.own, .routeRefresh(message))
        #expect(driver.effects == (passes ? [.deliverRefresh(message)] : []))
        let foreign = RouteRefreshMessage(family: .ipv6Unicast, subtype: subtype)
        driver.handle(Fixture.own, .routeRefresh(foreign))
        #expect(driver.effects == [] && driver.state == .established)
    }
}
