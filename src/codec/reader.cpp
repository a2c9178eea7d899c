#include "codec/reader.hpp"

namespace creto {

const char* to_string(DecodeError error) {
    switch (error) {
        case DecodeError::none:
            return "no error";
        case DecodeError::truncated:
            return "the input ends inside a value";
        case DecodeError::not_minimal:
            return "an integer is not in its shortest form";
        case DecodeError::over_limit:
            return "a count or length is over its limit";
        case DecodeError::bad_value:
            return "a value is out of its range";
        case DecodeError::trailing:
            return "bytes follow the value";
    }
    return "unknown";
}

template <class T>
T Reader::fixed() {
    const ByteView in = raw(sizeof(T));
    T value = 0;
    for (std::size_t i = 0; i < in.size(); ++i)
        value |= static_cast<T>(in[i]) << (8U * i);
    return value;
}

std::uint8_t Reader::u8() {
    const ByteView in = raw(1);
    return in.empty() ? std::uint8_t{0} : in[0];
}
std::uint32_t Reader::u32() {
    return fixed<std::uint32_t>();
}
std::uint64_t Reader::u64() {
    return fixed<std::uint64_t>();
}

std::uint64_t Reader::uvarint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (input_.empty()) {
            fail(DecodeError::truncated);
            return 0;
        }
        const std::uint8_t byte = input_[0];
        input_ = input_.subspan(1);
        if (shift == 63 && byte > 1) {
            fail(DecodeError::over_limit);
            return 0;
        }
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if ((byte & 0x80U) == 0) {
            if (byte == 0 && shift > 0) {
                fail(DecodeError::not_minimal);
                return 0;
            }
            return value;
        }
    }
    fail(DecodeError::over_limit);
    return 0;
}

bool Reader::boolean() {
    return kind(1) == 1;
}

std::uint8_t Reader::kind(std::uint8_t last) {
    const std::uint8_t value = u8();
    if (value <= last) return value;
    fail(DecodeError::bad_value);
    return 0;
}

ByteView Reader::raw(std::size_t size) {
    if (!ok() || size > input_.size()) {
        fail(DecodeError::truncated);
        return {};
    }
    const ByteView out = input_.first(size);
    input_ = input_.subspan(size);
    return out;
}

ByteView Reader::bytes(std::size_t max) {
    const std::uint64_t size = uvarint();
    if (size > max) {
        fail(DecodeError::over_limit);
        return {};
    }
    return raw(static_cast<std::size_t>(size));
}

std::string Reader::text(std::size_t max) {
    return std::string{as_text(bytes(max))};
}

std::size_t Reader::count(std::size_t max, std::size_t item_bytes_min) {
    const std::uint64_t count = uvarint();
    if (count > max) {
        fail(DecodeError::over_limit);
        return 0;
    }
    if (item_bytes_min > 0 && count > input_.size() / item_bytes_min) {
        fail(DecodeError::truncated);
        return 0;
    }
    return static_cast<std::size_t>(count);
}

}  // namespace creto
