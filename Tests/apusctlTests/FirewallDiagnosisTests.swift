import NetTypes
import Netlink
import Testing

@testable import apusctl

@Suite("Chains of others that forward nothing unless they are told to")
struct FirewallDiagnosisTests {
    private typealias Rule = ForwardChain.Rule

    private static let pools = ["10.244.0.0/18", "fd00:244::/48"].compactMap { IPPrefix($0) }
    private static let cali = Array("cali".utf8)

    private func chain(
        _ family: ForwardChain.Family = .ip, _ table: String = "filter", _ name: String = "FORWARD", drops: Bool = true,
        chains: Set<String> = [], rules: [Rule] = [],
    ) -> ForwardChain {
        ForwardChain(family: family, table: table, name: name, policyDrops: drops, chains: chains, rules: rules)
    }

    private func findings(_ chain: ForwardChain) -> [Diagnosis.Finding] {
        var diagnosis = Diagnosis()
        diagnosis.checkForwardChains([chain], pools: Self.pools)
        return diagnosis.findings
    }

    private func accept(_ equals: [UInt8], in chain: String = "FORWARD") -> Rule {
        Rule(chain: chain, verdict: .accept, isUnconditional: false, equals: [equals])
    }

    @Test("a policy of drop is named with the chain, and the remedy is the program's whose chain it is")
    func remedies() throws {
        let docker = try #require(findings(chain(chains: ["FORWARD", "DOCKER-USER"])).first)
        #expect(docker.problem.hasPrefix("chain FORWARD of the nftables table ip filter drops"))
        let both = "iptables -I DOCKER-USER -i cali+ -j ACCEPT; iptables -I DOCKER-USER -o cali+ -j ACCEPT, "
        #expect(docker.remedy.hasPrefix(both))
        #expect(findings(chain(.ip6)).first?.remedy.hasPrefix("ip6tables -I FORWARD -i cali+ -j ACCEPT; ") == true)
        #expect(
            findings(chain(chains: ["ufw-user-forward", "DOCKER-USER"])).map(\.remedy)
                == ["ufw route allow from 10.244.0.0/18; ufw route allow to 10.244.0.0/18"])
        #expect(
            findings(chain(.inet, "firewalld", "filter_FORWARD", drops: false)).map(\.remedy) == [
                "firewall-cmd --permanent --zone=trusted --add-source=10.244.0.0/18; "
                    + "firewall-cmd --permanent --zone=trusted --add-source=fd00:244::/48; firewall-cmd --reload"
            ])
        let other = findings(chain(.inet, "mine", "forward")).first?.remedy
        #expect(other?.hasPrefix("nft insert rule inet mine forward iifname '\"cali*\"' accept; ") == true)
    }

    @Test("what a rule drops for everybody is dropped as by the policy")
    func dropRule() {
        let reject = Rule(chain: "FORWARD", verdict: .discard, isUnconditional: true)
        let limited = Rule(chain: "FORWARD", verdict: .discard, isUnconditional: false)
        #expect(findings(chain(drops: false, rules: [limited, reject])).count == 1)
        #expect(findings(chain(drops: false, rules: [limited])).isEmpty)
        #expect(findings(chain(drops: false)).isEmpty)
    }

    @Test("what a rule chooses by a set, a map or a range of links or addresses may be pods")
    func vague() {
        func rule(_ verdict: Rule.Verdict?, equals: [String] = [], isVague: Bool = true) -> Rule {
            Rule(
                chain: "FORWARD", verdict: verdict, isUnconditional: false, equals: equals.map { Array($0.utf8) },
                isVague: isVague, excludes: !isVague)
        }
        #expect(findings(chain(rules: [rule(.accept)])).isEmpty)
        #expect(findings(chain(rules: [rule(.map)])).isEmpty)
        #expect(findings(chain(rules: [rule(.accept, equals: ["wan0"])])).isEmpty)
        #expect(findings(chain(rules: [rule(.accept, isVague: false)])).isEmpty)
        // To another link than the own, which is no pod's.
        #expect(findings(chain(rules: [rule(.accept, equals: ["docker0"], isVague: false)])).count == 1)
        // Nothing is said of what becomes of them, or the worst.
        #expect(findings(chain(rules: [rule(nil), rule(nil, isVague: false), rule(.discard)])).count == 1)
        // A map by something else, such as the state of a connection.
        let states = Rule(chain: "FORWARD", verdict: .map, isUnconditional: false)
        #expect(findings(chain(rules: [states])).count == 1)
    }

    @Test("a chain that lets pods pass, by their links or their addresses, directly or in another chain, is no finding")
    func admitted() {
        let jump = Rule(chain: "FORWARD", verdict: .chain("other"), isUnconditional: true)
        let any = Rule(chain: "other", verdict: .accept, isUnconditional: true)
        #expect(findings(chain(rules: [accept(Self.cali)])).isEmpty)
        #expect(findings(chain(rules: [accept(Self.cali + [0x31, 0])])).isEmpty)
        #expect(findings(chain(rules: [accept([10, 244, 0, 0])])).isEmpty)
        #expect(findings(chain(rules: [accept([10])])).isEmpty)
        #expect(findings(chain(rules: [jump, accept(Self.cali, in: "other")])).isEmpty)
        #expect(findings(chain(rules: [jump, any])).isEmpty)
        // Not reached, another network, another link, or no word of acceptance.
        #expect(findings(chain(rules: [accept(Self.cali, in: "INPUT"), any])).count == 1)
        #expect(findings(chain(rules: [accept([10, 243]), accept(Array("docker0".utf8) + [0]), jump])).count == 1)
        let drop = Rule(chain: "FORWARD", verdict: .discard, isUnconditional: false, equals: [Self.cali])
        #expect(findings(chain(rules: [drop])).count == 1)
    }

    @Test("a family without a pool is nobody's business")
    func families() {
        var diagnosis = Diagnosis()
        diagnosis.checkForwardChains([chain(.ip6), chain(.inet)], pools: Self.pools.filter { $0.family == .ipv4 })
        #expect(diagnosis.findings.count == 1)
    }
}
