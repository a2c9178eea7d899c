// CarriedQueue: operations of other agents that wait for a place in this seat's lane.
//
// Why      Agents without a seat cost nothing to make, and their operations travel in lanes of seats.
//          However many there are, they get their share of each vertex together, and of that each the
//          same: a thousand names of one liar push nobody else aside.
// Source   Deficit round robin (Shreedhar and Varghese, SIGCOMM 1995).
// Holds    [CARRY-SHARE.1] take() serves clients in turns, the same number of bytes each while they have
//          enough waiting. At most limits::carried_operations_per_client_max and
//          carried_bytes_per_client_max wait of one client, carried_operations_max and
//          carried_bytes_max of all without a seat. Seats are few: they are not refused for the others.
// Errors   limit: which one, and what to do.
// Cost     O(log clients) for each operation.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "model/limits.hpp"
#include "model/operation.hpp"

namespace creto {

class CarriedQueue {
public:
    enum class Client : std::uint8_t { without_seat, with_seat };

    /// `size`: what it takes in a vertex.
    [[nodiscard]] Result<void> push(Operation operation, std::size_t size, Client client);
    /// The next ones: at most so many operations and bytes, but one in any case.
    [[nodiscard]] std::vector<Operation> take(std::size_t operations_max, std::size_t bytes_max);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
    /// What a client may have served in one turn; unused it adds up, while it waits.
    static constexpr std::size_t turn_bytes = 4'096;

    struct Item {
        Operation operation;
        std::size_t size = 0;
    };
    struct Waiting {
        std::deque<Item> items;  ///< Never empty.
        std::size_t bytes = 0;
        std::size_t credit = 0;
        bool seated = false;
    };
    using Clients = std::map<AgentId, Waiting>;

    [[nodiscard]] Clients::iterator next_client();

    Clients clients_;
    std::optional<AgentId> served_;  ///< The last that had its turn.
    std::size_t size_ = 0;
    std::size_t bytes_ = 0;
    std::size_t seated_size_ = 0;
    std::size_t seated_bytes_ = 0;
};

}  // namespace creto
