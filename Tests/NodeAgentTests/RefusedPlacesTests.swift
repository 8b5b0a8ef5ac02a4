import Resources
import Testing

@testable import NodeAgent

@Suite("What of the configuration was refused and is no more")
struct RefusedPlacesTests {
    private func refusal(_ file: String, _ resource: String? = nil, line: Int = 1) -> Diagnostic {
        Diagnostic(.error, file: file, line: line, resource: resource, reason: "wrong")
    }

    @Test("it is told once, when it is in force, whatever else was wrong with it meanwhile")
    func once() {
        var places = RefusedPlaces()
        #expect(places.settle([]).isEmpty)
        places.note([refusal("a.yaml", "IPPool/p"), refusal("b.yaml")])
        places.note([refusal("a.yaml", "IPPool/p", line: 7), refusal("b.yaml")])
        #expect(places.settle([]) == ["a.yaml: IPPool/p", "b.yaml"])
        #expect(places.settle([]).isEmpty)
    }

    @Test("what is refused still is not told of before it is good")
    func inPart() {
        var places = RefusedPlaces()
        // The first configuration is taken but for what is wrong.
        #expect(places.settle([refusal("a.yaml", "IPPool/p"), refusal("b.yaml", "IPPool/q")]).isEmpty)
        #expect(places.settle([refusal("b.yaml", "IPPool/q", line: 9)]) == ["a.yaml: IPPool/p"])
        #expect(places.settle([]) == ["b.yaml: IPPool/q"])
    }
}
