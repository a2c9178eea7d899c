// Event: everything that can happen to a node. With `now`, all that its behaviour depends on.
//
// Why      The protocol is a function: events and now in, effects out. Two hosts drive it: real
//          processes and the simulator.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "model/command.hpp"
#include "model/message.hpp"

namespace creto {

/// The host is ready: storage was restored, the network may be used from now on.
struct Start {
    std::int64_t unix_ms = 0;  ///< Wall clock, informational only.
};
/// A whole message of a connected, authenticated peer.
struct Received {
    AgentId from;
    Channel channel = Channel::order;
    WireMessage message;
};
struct PeerUp {
    AgentId peer;
    std::string address;  ///< The one that we dialled; empty when the peer dialled us.
    std::string group{};  ///< Where it comes from: an IPv4 /24, an IPv6 /48; empty: not told.
};
struct PeerDown {
    AgentId peer;
};
/// The instant of the last WakeAt has come.
struct Woke {};
/// A Persist is durable (or, if it did not ask for that, applied).
struct Persisted {
    Ticket ticket;
};
/// The values of a Load in the order of its keys, none where the store has nothing; or those of a
/// Scan, with their keys.
struct Loaded {
    Ticket ticket;
    std::vector<std::optional<Bytes>> values;
    std::vector<Bytes> keys = {};  ///< Of a Scan.
};
/// The outcome of a Check.
struct CheckDone {
    Ticket ticket;
    std::size_t good = 0;  ///< How many of its signatures hold.
};
/// A tool finished. `status` result or what went wrong; cancelled: it was running when it was taken
/// back, and has ended now.
struct Executed {
    Ticket ticket;
    CallAnswer::Status status = CallAnswer::Status::result;
    std::string text;  ///< Canonical JSON, or the message.
    Duration took{};   ///< Of the time of whoever ran it, without waiting.
};
/// A tool that runs shows what it has so far. Comes before its Executed.
struct Emitted {
    Ticket ticket;
    std::vector<Piece> pieces;
    std::uint64_t lost = 0;  ///< Pieces since the last such event that the host had no room for.
};
struct Command {
    Ticket ticket;  ///< The host's own; its Reply carries it.
    CommandBody body;
};
/// Storage refused. Nothing that waits for a ticket will be sent any more.
struct StoreFailed {
    std::string reason;
};

using Event = std::variant<
    Start,
    Received,
    PeerUp,
    PeerDown,
    Woke,
    Persisted,
    Loaded,
    CheckDone,
    Executed,
    Emitted,
    Command,
    StoreFailed>;

}  // namespace creto
