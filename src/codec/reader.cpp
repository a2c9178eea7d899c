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

std::uint64_t Reader::long_uvarint() {
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
