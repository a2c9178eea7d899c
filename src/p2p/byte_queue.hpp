// ByteQueue: bytes that go in at the back and leave at the front.
//
// Why      A stream's unsent bytes leave in parts, as the peer's window opens.
// Cost     Each byte is moved at most twice after it came in; an empty queue holds no memory.
#pragma once

#include "base/assert.hpp"
#include "base/bytes.hpp"

namespace creto::p2p {

class ByteQueue {
public:
    [[nodiscard]] std::size_t size() const { return bytes_.size() - head_; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] ByteView view() const { return ByteView{bytes_}.subspan(head_); }

    void push(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    /// Requires: count <= size().
    void drop(std::size_t count) {
        CRETO_ASSERT(count <= size());
        head_ += count;
        if (empty()) {
            Bytes{}.swap(bytes_);
            head_ = 0;
        } else if (head_ > bytes_.size() / 2) {  // more gone than left: moving the rest is cheap
            bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
            head_ = 0;
        }
    }

private:
    Bytes bytes_;
    std::size_t head_ = 0;
};

}  // namespace creto::p2p
