// Effect: everything that a node can do to the world, as data; and the list that collects them.
//
// Why      Sending, storing, checking signatures and running tools are the host's; the node says
//          what.
// Holds    A Send with `after` set leaves the process only once that Persist is durable: persist,
//          then speak. Effects are carried out in the order of the list. Tickets are never reused.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/boxed.hpp"
#include "model/checks.hpp"
#include "model/message.hpp"
#include "model/notice.hpp"

namespace creto {

/// The store's column families.
enum class Column : std::uint8_t { vertices, lanes, blocks, certificates, state, receipts, meta };
inline constexpr std::size_t column_count = 7;

struct KeyWrite {
    Column column = Column::meta;
    Bytes key;
    std::optional<SharedBytes> value;  ///< None: delete.
};

enum class Durable : std::uint8_t { no, yes };

struct Send {
    AgentId to;
    Channel channel = Channel::order;
    WireMessage message;
    Ticket after;  ///< 0: at once.
};
/// One batch: applied as a whole or not at all, after all earlier ones; durable means that all
/// earlier ones are durable too. Vote records go to the vote log, in order, and are
/// durable no later than the writes of the same batch that they rest on.
struct Persist {
    Ticket ticket;
    std::vector<KeyWrite> writes;
    std::vector<Bytes> votes;
    Durable durable = Durable::yes;
    /// Unless empty: all that still counts of what was in the vote log before; it is replaced by
    /// these, then `votes` are appended.
    std::vector<Bytes> votes_kept;
};
struct Load {
    Ticket ticket;
    Column column = Column::meta;
    std::vector<Bytes> keys;
};
/// The values of the keys in [from, to), ascending, at most `count`; answered with Loaded.
struct Scan {
    Ticket ticket;
    Column column = Column::meta;
    Bytes from;
    Bytes to;
    std::uint32_t count = 0;
};
struct Check {
    Ticket ticket;
    std::vector<CheckItem> items;
    AgentId from{};  ///< Whose message it is: the host is fair between them.
};
/// Run one of our own tools. The host answers with Executed, and is fair between callers.
struct Execute {
    Ticket ticket;
    std::string tool;
    ContractId contract;  ///< Zero: whatever is registered under the name.
    std::string arguments;
    Duration timeout;
    AgentId caller{};
    bool shows = false;  ///< Somebody wants to know what it shows while it works: see Emitted.
};
/// What waits is forgotten and not answered; what runs is answered when it ends, as cancelled.
struct CancelExecute {
    Ticket ticket;
};
/// Replaces the earlier WakeAt.
struct WakeAt {
    Instant at;
};
struct Reply {
    Ticket ticket;
    Boxed<ReplyBody> body;
};
/// Show a piece of a call to whoever gave the command. The host answers with PiecesTaken.
struct ShowPiece {
    Ticket command;
    ShownPiece shown;
};
struct Publish {
    Boxed<Notice> notice;
};
/// Close the connection: the peer broke the rules in a way that no correct peer does.
struct Drop {
    AgentId peer;
    std::string reason;
};
struct Dial {
    std::string address;
    std::optional<AgentId> peer;  ///< Who must answer there.
};

using Effect = std::variant<
    Send,
    Persist,
    Load,
    Scan,
    Check,
    Execute,
    CancelExecute,
    WakeAt,
    Reply,
    ShowPiece,
    Publish,
    Drop,
    Dial>;

/// Collects effects in order and hands out tickets. One per node, for its whole life.
class Effects {
public:
    template <class T>
    void add(T effect) {
        if (list_.capacity() == 0) list_.reserve(usual);
        list_.emplace_back(std::move(effect));
    }
    void put(Effect effect) { add(std::move(effect)); }
    [[nodiscard]] Ticket new_ticket() { return Ticket{next_ticket_++}; }

    void send(const AgentId& to, const Message& message, Ticket after = {}) {
        add(Send{to, channel_of(message), encode_message(message), after});
    }
    /// What was encoded already.
    void send(const AgentId& to, Channel channel, const WireMessage& bytes, Ticket after = {}) {
        add(Send{to, channel, bytes, after});
    }
    /// Encodes once for all. `recipients` is any range of AgentId.
    template <class Range>
    void send_all(const Range& recipients, const Message& message, Ticket after = {}) {
        const WireMessage bytes = encode_message(message);
        for (const AgentId& to : recipients)
            add(Send{to, channel_of(message), bytes, after});
    }
    Ticket persist(std::vector<KeyWrite> writes, std::vector<Bytes> votes, Durable durable) {
        const Ticket ticket = new_ticket();
        add(Persist{ticket, std::move(writes), std::move(votes), durable});
        return ticket;
    }
    void publish(Notice notice) { add(Publish{std::move(notice)}); }

    [[nodiscard]] const std::vector<Effect>& list() const { return list_; }
    /// Empties the list.
    std::vector<Effect> take() { return std::exchange(list_, {}); }
    /// The memory of a list that was carried out serves the next one.
    void reuse(std::vector<Effect> spent) {
        if (list_.capacity() > 0) return;
        spent.clear();
        list_ = std::move(spent);
    }

private:
    static constexpr std::size_t usual = 6;  ///< Most events cause fewer.

    std::vector<Effect> list_;
    std::uint64_t next_ticket_ = 1;
};

}  // namespace creto
