package import ArgumentParser

/// A word that stands where a subcommand's name is expected, and is none.
package struct UnknownCommand: Sendable, Equatable, CustomStringConvertible {
    /// The word.
    let word: String
    /// What stands before it: `apusctl node`.
    let program: String
    /// The subcommands that there are.
    let known: [String]

    /// The first such word; nil when there is none. Whatever else is wrong with the arguments the parser says.
    package static func first(in arguments: [String], of root: any ParsableCommand.Type) -> UnknownCommand? {
        var program = root.name
        var children = root.configuration.subcommands
        // Of options that stand before the subcommand the parser knows which of them take a value.
        for word in arguments {
            if word.hasPrefix("-") || word == "help" || children.isEmpty { return nil }
            guard let place = children.firstIndex(where: { $0.isCalled(word) }) else {
                return UnknownCommand(word: word, program: program, known: children.map { $0.name })
            }
            program += " \(word)"
            children = children[place].configuration.subcommands
        }
        return nil
    }

    /// What is unknown, and what may have been meant.
    package var description: String {
        guard let nearest = NearestWord.of(word, among: known) else {
            return "'\(program)' has no command '\(word)'; there are \(known.joined(separator: ", "))."
        }
        return "'\(program)' has no command '\(word)'. Did you mean '\(nearest)'?"
    }
}

extension ParsableCommand {
    fileprivate static var name: String { configuration.commandName ?? _commandName }

    fileprivate static func isCalled(_ word: String) -> Bool {
        name == word || configuration.aliases.contains(word)
    }
}
