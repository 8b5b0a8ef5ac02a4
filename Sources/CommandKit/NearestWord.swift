/// What somebody may have meant who has written another word.
package enum NearestWord {
    /// How many letters may differ: more of them, and it is another word.
    private static let maximumDistance = 3

    /// The word of the list that is nearest to this one: letters added, left out or taken for others, or the beginning
    /// of a word; nil when none is near.
    package static func of(_ word: String, among words: [String]) -> String? {
        let near = words.map {
            (word: $0, distance: distance(from: Array(word.lowercased()), to: Array($0.lowercased())))
        }
        .filter { $0.distance <= maximumDistance && $0.distance < $0.word.count }
        .min { $0.distance < $1.distance }
        return near?.word ?? words.first { word.count > 1 && $0.hasPrefix(word.lowercased()) }
    }

    /// How many letters are to be added, left out or replaced.
    private static func distance(from: [Character], to: [Character]) -> Int {
        var row = Array(0...to.count)
        for (line, letter) in from.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for column in to.indices {
                let replaced = diagonal + (to[column] == letter ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[to.count]
    }
}
