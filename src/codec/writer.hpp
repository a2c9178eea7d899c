// Writer: writes values in the canonical byte format.
//
// Why      What is hashed and signed must have exactly one byte form.
// Format   Fixed-width integers are little-endian; counts and lengths are minimal unsigned LEB128;
//          byte strings and lists are their length and then their content; optionals are 0 or 1
//          and then the value; a struct is its fields in the order of declaration. docs/wire.md.
// Holds    Reader reads back exactly what Writer wrote, and nothing else decodes to the same value.
// Cost     Appends to one growing buffer.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace creto {

class Writer {
public:
    Writer() = default;
    explicit Writer(std::size_t reserve) { bytes_.reserve(reserve); }

    void u8(std::uint8_t value) { bytes_.push_back(value); }
    void u32(std::uint32_t value) { fixed(value); }
    void u64(std::uint64_t value) { fixed(value); }
    void uvarint(std::uint64_t value) {
        while (value >= 0x80) {
            bytes_.push_back(static_cast<std::uint8_t>(value | 0x80U));
            value >>= 7U;
        }
        bytes_.push_back(static_cast<std::uint8_t>(value));
    }
    /// The bytes alone, for content of fixed length.
    void raw(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    /// Length and bytes.
    void bytes(ByteView bytes) {
        uvarint(bytes.size());
        raw(bytes);
    }
    void text(std::string_view text) { bytes(as_bytes(text)); }
    void boolean(bool value) { u8(value ? 1 : 0); }

    [[nodiscard]] const Bytes& view() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] Bytes take() { return std::move(bytes_); }

private:
    template <class T>
    void fixed(T value) {
        std::array<std::uint8_t, sizeof(T)> out{};
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            out[i] = static_cast<std::uint8_t>(value >> (8U * i));
        }
        raw(out);
    }
    Bytes bytes_;
};

/// The canonical bytes of a value that has encode(Writer&, const T&).
template <class T>
[[nodiscard]] Bytes encode_bytes(const T& value) {
    Writer writer;
    encode(writer, value);
    return writer.take();
}

}  // namespace creto
