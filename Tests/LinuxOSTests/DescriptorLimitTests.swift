import Testing

@testable import LinuxOS

@Suite("The limit of open descriptors")
struct DescriptorLimitTests {
    @Test("the soft limit is raised to the hard one, and once more changes nothing")
    func raise() throws {
        let former = try DescriptorLimit.current()
        // Other tests run beside this one: a little less is enough for them.
        let lower = try DescriptorLimit.set(soft: max(former.hard / 2, 1024), hard: former.hard)
        #expect(lower.soft < lower.hard)
        let raised = try DescriptorLimit.raise()
        #expect(raised == DescriptorLimit(soft: former.hard, hard: former.hard))
        #expect(try DescriptorLimit.current() == raised && DescriptorLimit.raise() == raised)
    }
}
