import CNISpec
import Testing

@testable import CNIPlugin

@Suite("What the program says of itself")
struct IntroductionTests {
    @Test(
        "A person who runs it by hand is told what it is, who starts it and where to read on",
        arguments: [(CNIPlugin.Role.network, "Apus CNI plugin"), (.addressesOnly, "Apus IPAM plugin")])
    func text(role: CNIPlugin.Role, beginning: String) {
        let text = Introduction.text(for: role)
        #expect(text.hasPrefix(beginning))
        for word in CNICommand.allCases.map(\.rawValue) + CNIVersion.allCases.map(\.rawValue) {
            #expect(text.contains(word))
        }
        #expect(text.contains("README.md"))
        #expect(text.hasSuffix("\n"))
    }
}
