import NetTypes

extension UpdateMessage {
    /// Reads the body (RFC 4271 §6.3 as RFC 7606 revises it).
    ///
    /// - Throws: `BGPError` where not even the prefixes can be trusted.
    static func decode(
        _ body: ArraySlice<UInt8>, context: WireContext, _ reader: inout AttributeReader,
    ) throws(BGPError) -> UpdateMessage {
        var cursor = ByteCursor(body)
        guard let withdrawnLength = cursor.readUInt16(), let withdrawn = cursor.readBytes(Int(withdrawnLength)),
            let attributesLength = cursor.readUInt16(), let attributes = cursor.readBytes(Int(attributesLength))
        else {
            throw BGPError(
                NotificationCode.updateMessage, UpdateSubcode.malformedAttributeList,
                "the lengths of an UPDATE go beyond its end")
        }
        if withdrawn.isEmpty, attributes.isEmpty, cursor.isAtEnd { return .endOfRIB(.ipv4Unicast) }
        let withdrawnPaths = try decodeIPv4(withdrawn, "Withdrawn Routes", context)
        let paths = try decodeIPv4(cursor.rest, "NLRI", context)
        var list = try reader.read(attributes, context)
        return try assemble(&list, withdrawn: withdrawnPaths, announced: paths)
    }

    /// One frame where it fits, several otherwise, back to back. Routes that cannot be announced are withdrawn.
    func encode(_ context: WireContext) -> [UInt8] {
        let encoder = UpdateEncoder(context)
        var frames: [[UInt8]] = []
        for part in unreachable {
            if part.prefixes.isEmpty {
                frames.append(encoder.endOfRIB(part.family))
            } else {
                frames += encoder.withdraw(part.prefixes, family: part.family, pathIDs: part.pathIDs)
            }
        }
        for part in reachable {
            do {
                frames += try encoder.announce(
                    part.prefixes, family: part.family, nextHop: part.nextHop, attributes: attributes,
                    pathIDs: part.pathIDs)
            } catch {
                frames += encoder.withdraw(part.prefixes, family: part.family, pathIDs: part.pathIDs)
            }
        }
        return Array(frames.joined())
    }

    private static func decodeIPv4(
        _ bytes: ArraySlice<UInt8>, _ field: String, _ context: WireContext
    ) throws(BGPError) -> NLRI.Paths {
        guard let paths = NLRI.decode(bytes, family: .ipv4, context: context) else {
            throw BGPError(
                NotificationCode.updateMessage, UpdateSubcode.invalidNetworkField, "malformed prefix in \(field)")
        }
        return paths
    }

    private static func assemble(
        _ list: inout AttributeList, withdrawn: NLRI.Paths, announced: NLRI.Paths
    ) throws(BGPError) -> UpdateMessage {
        let prefixes = announced.prefixes
        let multiprotocol = list.reach.flatMap { $0.paths.prefixes.isEmpty ? nil : $0 }
        if prefixes.isEmpty, multiprotocol != nil || list.hasForeignReach { list.ignoreNextHop() }
        let withdrawing = list.errors.first { $0.action == .treatAsWithdraw }
        if multiprotocol != nil || !prefixes.isEmpty {
            let mandatory = [AttributeType.origin, AttributeType.asPath]
            list.requireMandatory(prefixes.isEmpty ? mandatory : mandatory + [AttributeType.nextHop])
        } else if !list.hasForeignReach, !list.isUnreachOnly, let error = withdrawing {
            // RFC 7606 §5.2: attributes without prefixes; the prefixes may be what the error has hidden.
            throw BGPError(NotificationCode.updateMessage, error.subcode, "\(error), and no prefix was found")
        }
        var unreachable: [Unreach] = []
        var reachable: [Reach] = []
        func announce(_ family: AFISAFI, _ nextHop: NextHop?, _ paths: NLRI.Paths) {
            if let nextHop, !list.isTreatedAsWithdraw {
                reachable.append(
                    Reach(family: family, nextHop: nextHop, prefixes: paths.prefixes, pathIDs: paths.ids))
            } else {
                unreachable.append(Unreach(family: family, prefixes: paths.prefixes, pathIDs: paths.ids))
            }
        }
        if !withdrawn.prefixes.isEmpty {
            unreachable.append(
                Unreach(family: .ipv4Unicast, prefixes: withdrawn.prefixes, pathIDs: withdrawn.ids))
        }
        if let unreach = list.unreach {
            let isEndOfRIB = list.isUnreachOnly && withdrawn.prefixes.isEmpty && prefixes.isEmpty
            if !unreach.prefixes.isEmpty || isEndOfRIB { unreachable.append(unreach) }
        }
        if !prefixes.isEmpty { announce(.ipv4Unicast, list.nextHop.map { NextHop(.v4($0)) }, announced) }
        if let multiprotocol { announce(multiprotocol.family, list.reachNextHop, multiprotocol.paths) }
        return UpdateMessage(
            unreachable: unreachable,
            reachable: reachable,
            attributes: reachable.isEmpty ? PathAttributes() : list.attributes,
            malformed: list.errors,
        )
    }
}
