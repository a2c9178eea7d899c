// Reader: reads values in the canonical byte format, trusting nothing.
//
// Why      Every byte that a peer, a disk or a user hands us passes here.
// Holds    Never reads outside its input; checks every count and length against the caller's limit
//          and against the bytes that are left before anything is allocated; refuses non-minimal
//          integers, values out of range and trailing bytes, so that one value has one byte form.
// Errors   The first failure sticks: later reads return zero values, finish() returns the reason.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace creto {

enum class DecodeError : std::uint8_t {
    none,
    truncated,    ///< The input ends inside a value.
    not_minimal,  ///< An integer is written longer than it need be.
    over_limit,   ///< A count or length is over its limit.
    bad_value,    ///< A value is outside its range (an unknown kind, a list out of order).
    trailing,     ///< Bytes follow the value.
};

[[nodiscard]] const char* to_string(DecodeError error);

class Reader {
public:
    explicit Reader(ByteView input) : input_{input} {}

    std::uint8_t u8() {
        const ByteView in = raw(1);
        return in.empty() ? std::uint8_t{0} : in[0];
    }
    std::uint32_t u32() { return fixed<std::uint32_t>(); }
    std::uint64_t u64() { return fixed<std::uint64_t>(); }
    std::uint64_t uvarint() {
        if (!input_.empty() && input_[0] < 0x80) return u8();
        return long_uvarint();
    }
    bool boolean() { return kind(1) == 1; }
    /// Exactly `size` bytes, viewed in the input. Empty on failure.
    ByteView raw(std::size_t size) {
        if (!ok() || size > input_.size()) {
            fail(DecodeError::truncated);
            return {};
        }
        const ByteView out = input_.first(size);
        input_ = input_.subspan(size);
        return out;
    }
    /// A length of at most `max` and that many bytes, viewed in the input.
    ByteView bytes(std::size_t max);
    std::string text(std::size_t max);
    /// The count of a list: at most `max`, and at most what the bytes that are left can hold when
    /// each item takes `item_bytes_min` bytes or more.
    std::size_t count(std::size_t max, std::size_t item_bytes_min = 1);
    /// A kind in [0, last].
    std::uint8_t kind(std::uint8_t last) {
        const std::uint8_t value = u8();
        if (value <= last) return value;
        fail(DecodeError::bad_value);
        return 0;
    }

    /// Marks the input as wrong, unless it already was.
    void fail(DecodeError error) {
        if (error_ == DecodeError::none) error_ = error;
        input_ = {};
    }
    [[nodiscard]] bool ok() const { return error_ == DecodeError::none; }
    [[nodiscard]] DecodeError error() const { return error_; }
    [[nodiscard]] std::size_t left() const { return input_.size(); }
    /// The bytes that were not read yet.
    [[nodiscard]] ByteView rest() const { return input_; }
    /// Fails with `trailing` when bytes are left.
    DecodeError finish() {
        if (ok() && !input_.empty()) fail(DecodeError::trailing);
        return error_;
    }

private:
    template <class T>
    T fixed() {
        const ByteView in = raw(sizeof(T));
        T value = 0;
        for (std::size_t i = 0; i < in.size(); ++i)
            value |= static_cast<T>(in[i]) << (8U * i);
        return value;
    }
    std::uint64_t long_uvarint();

    ByteView input_;
    DecodeError error_ = DecodeError::none;
};

/// The one value that `input` is, for a T that has decode(Reader&, T&).
template <class T>
[[nodiscard]] Result<T, DecodeError> decode_exact(ByteView input) {
    Reader reader{input};
    T value{};
    decode(reader, value);
    if (const DecodeError error = reader.finish(); error != DecodeError::none) {
        return tl::unexpected<DecodeError>(error);
    }
    return value;
}

/// The same, with a message for people: "vertex: truncated".
template <class T>
[[nodiscard]] Result<T> decode_named(ByteView input, const char* what) {
    auto value = decode_exact<T>(input);
    if (value) return std::move(*value);
    return creto::fail(ErrorCode::invalid, std::string{what} + ": " + to_string(value.error()));
}

}  // namespace creto
