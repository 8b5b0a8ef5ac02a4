/// What takes a change back that is made in several steps, the last first.
///
/// It holds values, not closures: who unwinds it says how each is done, with whatever handles are open then.
package struct UndoStack<Inverse: Sendable>: Sendable {
    /// What there is to take back, in the order of the steps.
    package private(set) var inverses: [Inverse] = []

    /// A stack with nothing on it.
    package init() {}

    /// Notes what takes the step back that has just succeeded.
    package mutating func push(_ inverse: Inverse) {
        inverses.append(inverse)
    }

    /// The change is whole: there is nothing to take back any more.
    package mutating func commit() {
        inverses = []
    }

    /// Takes everything back, the last step first.
    ///
    /// An inverse that fails is reported and the others are still tried: the error that led here is the one that the
    /// caller goes on to throw.
    package mutating func unwind<Failure: Error>(
        undo: (Inverse) throws(Failure) -> Void, onFailure report: (Inverse, Failure) -> Void,
    ) {
        while let inverse = inverses.popLast() {
            do throws(Failure) {
                try undo(inverse)
            } catch {
                report(inverse, error)
            }
        }
    }
}
