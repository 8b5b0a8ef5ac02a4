import Resources
import Testing

private func decoded(_ nodes: [String], isBroken: Bool = false) -> DecodedResources {
    DecodedResources(
        configuration: ClusterConfiguration(nodes: nodes.map { Node(name: $0) }),
        diagnostics: isBroken
            ? [Diagnostic(.error, file: "a.yaml", reason: "wrong")]
            : [
                Diagnostic(.warning, file: "a.yaml", reason: "odd")
            ])
}

@Suite("The configuration in force")
struct ConfigurationInForceTests {
    @Test("a reload with an error changes nothing, one without it is adopted")
    func lastGood() {
        var inForce = ConfigurationInForce()
        #expect(inForce.offer(decoded(["a", "b"])) == .adopted)
        #expect(inForce.offer(decoded(["a"], isBroken: true)) == .kept)
        #expect(inForce.configuration?.nodes.map(\.name) == ["a", "b"])
        #expect(inForce.isWhole)
        #expect(inForce.offer(decoded(["a", "b"])) == .unchanged)
        #expect(inForce.offer(decoded(["c"])) == .adopted)
        #expect(inForce.configuration?.nodes.map(\.name) == ["c"])
    }

    @Test("at the start the good remainder is in force and known not to be whole, until it is")
    func start() {
        var inForce = ConfigurationInForce()
        #expect(inForce.configuration == nil && !inForce.isWhole)
        #expect(inForce.offer(decoded(["a"], isBroken: true)) == .adopted)
        #expect(!inForce.isWhole)
        #expect(inForce.offer(decoded(["a"], isBroken: true)) == .unchanged)
        #expect(inForce.offer(decoded(["a", "b"], isBroken: true)) == .adopted)
        #expect(inForce.offer(decoded(["a", "b"])) == .adopted)
        #expect(inForce.isWhole)
    }
}
