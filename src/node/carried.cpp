#include "node/carried.hpp"

namespace creto {

Result<void> CarriedQueue::push(Operation operation, std::size_t size, Client client) {
    const auto known = clients_.find(operation.client);
    if (known != clients_.end() &&
        (known->second.items.size() >= limits::carried_operations_per_client_max ||
         known->second.bytes + size > limits::carried_bytes_per_client_max)) {
        return fail(
            ErrorCode::limit,
            "rate limited: too many operations of this agent wait here (" +
                std::to_string(known->second.items.size()) + "); retry when some are final"
        );
    }
    const bool seated = client == Client::with_seat;
    if (!seated && (size_ - seated_size_ >= limits::carried_operations_max ||
                    bytes_ - seated_bytes_ + size > limits::carried_bytes_max)) {
        return fail(
            ErrorCode::limit,
            "rate limited: too many operations of agents without a seat wait here; retry later, or "
            "through another validator"
        );
    }
    Waiting& waiting = clients_[operation.client];
    waiting.seated = seated;
    waiting.bytes += size;
    waiting.items.push_back({std::move(operation), size});
    ++size_;
    bytes_ += size;
    if (seated) {
        ++seated_size_;
        seated_bytes_ += size;
    }
    return {};
}

CarriedQueue::Clients::iterator CarriedQueue::next_client() {
    auto next = served_ ? clients_.upper_bound(*served_) : clients_.begin();
    return next == clients_.end() ? clients_.begin() : next;
}

std::vector<Operation> CarriedQueue::take(std::size_t operations_max, std::size_t bytes_max) {
    std::vector<Operation> out;
    std::size_t bytes = 0;
    while (size_ > 0) {
        const auto client = next_client();
        Waiting& waiting = client->second;
        waiting.credit += turn_bytes;
        while (!waiting.items.empty() && waiting.items.front().size <= waiting.credit) {
            const std::size_t size = waiting.items.front().size;
            const bool fits =
                out.empty() || (out.size() < operations_max && bytes + size <= bytes_max);
            if (!fits) {
                waiting.credit -= turn_bytes;  // It has its turn first in the next vertex.
                return out;
            }
            out.push_back(std::move(waiting.items.front().operation));
            waiting.items.pop_front();
            waiting.credit -= size;
            waiting.bytes -= size;
            bytes += size;
            --size_;
            bytes_ -= size;
            if (waiting.seated) {
                --seated_size_;
                seated_bytes_ -= size;
            }
        }
        served_ = client->first;
        if (waiting.items.empty()) clients_.erase(client);
    }
    return out;
}

}  // namespace creto
