// Writer: writes values in the canonical byte format.
//
// Why      What is hashed and signed must have exactly one byte form.
// Format   Fixed-width integers are little-endian; counts and lengths are minimal unsigned LEB128;
//          byte strings and lists are their length and then their content; optionals are 0 or 1
//          and then the value; a struct is its fields in the order of declaration. docs/wire.md.
// Holds    Reader reads back exactly what Writer wrote, and nothing else decodes to the same value.
// Cost     No allocation up to `small_bytes`, beyond the one that take() makes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace creto {

class Writer {
public:
    Writer() : Writer{0} {}
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read
    explicit Writer(std::size_t reserve) {
        if (reserve > small_bytes) grow(reserve);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() = default;

    void u8(std::uint8_t value) {
        if (size_ == room_) grow(1);
        data_[size_++] = value;
    }
    void u32(std::uint32_t value) { fixed(value); }
    void u64(std::uint64_t value) { fixed(value); }
    void uvarint(std::uint64_t value) {
        while (value >= 0x80) {
            u8(static_cast<std::uint8_t>(value | 0x80U));
            value >>= 7U;
        }
        u8(static_cast<std::uint8_t>(value));
    }
    /// The bytes alone, for content of fixed length.
    void raw(ByteView bytes) {
        if (room_ - size_ < bytes.size()) grow(bytes.size());
        std::copy(bytes.begin(), bytes.end(), data_ + size_);
        size_ += bytes.size();
    }
    /// Length and bytes.
    void bytes(ByteView bytes) {
        uvarint(bytes.size());
        raw(bytes);
    }
    void text(std::string_view text) { bytes(as_bytes(text)); }
    void boolean(bool value) { u8(value ? 1 : 0); }

    /// What was written so far; valid until more is.
    [[nodiscard]] ByteView view() const { return {data_, size_}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    /// The bytes; the writer is empty afterwards.
    [[nodiscard]] Bytes take() {
        Bytes out;
        if (large_.empty()) {
            out.assign(data_, data_ + size_);
        } else {
            large_.resize(size_);
            out.swap(large_);
        }
        data_ = small_.data();
        room_ = small_bytes;
        size_ = 0;
        return out;
    }

private:
    static constexpr std::size_t small_bytes = 448;

    template <class T>
    void fixed(T value) {
        std::array<std::uint8_t, sizeof(T)> out{};
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            out[i] = static_cast<std::uint8_t>(value >> (8U * i));
        }
        raw(out);
    }
    /// Makes room for `more` bytes.
    void grow(std::size_t more) {
        const bool was_small = large_.empty();
        large_.resize(std::max(2 * room_, size_ + more));
        if (was_small) std::copy(data_, data_ + size_, large_.begin());
        data_ = large_.data();
        room_ = large_.size();
    }

    std::array<std::uint8_t, small_bytes> small_;
    Bytes large_;  ///< Empty while small_ is enough.
    std::uint8_t* data_ = small_.data();
    std::size_t room_ = small_bytes;
    std::size_t size_ = 0;
};

/// The canonical bytes of a value that has encode(Writer&, const T&).
template <class T>
[[nodiscard]] Bytes encode_bytes(const T& value) {
    Writer writer;
    encode(writer, value);
    return writer.take();
}

}  // namespace creto
