#include "codec/base58.hpp"

#include <algorithm>

namespace creto {

namespace {
constexpr std::string_view alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::size_t text_max = 128;
}  // namespace

std::string to_base58(ByteView bytes) {
    Bytes digits;  // base 58, least significant first
    std::size_t zeros = 0;
    while (zeros < bytes.size() && bytes[zeros] == 0)
        ++zeros;
    for (const std::uint8_t byte : bytes.subspan(zeros)) {
        unsigned carry = byte;
        for (auto& digit : digits) {
            carry += static_cast<unsigned>(digit) << 8U;
            digit = static_cast<std::uint8_t>(carry % 58);
            carry /= 58;
        }
        for (; carry > 0; carry /= 58)
            digits.push_back(static_cast<std::uint8_t>(carry % 58));
    }
    std::string text(zeros, '1');
    for (auto it = digits.rbegin(); it != digits.rend(); ++it)
        text.push_back(alphabet[*it]);
    return text;
}

std::optional<Bytes> from_base58(std::string_view text) {
    if (text.size() > text_max) return std::nullopt;
    Bytes bytes;  // least significant first
    std::size_t zeros = 0;
    while (zeros < text.size() && text[zeros] == '1')
        ++zeros;
    for (const char c : text.substr(zeros)) {
        const auto digit = alphabet.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        auto carry = static_cast<unsigned>(digit);
        for (auto& byte : bytes) {
            carry += static_cast<unsigned>(byte) * 58U;
            byte = static_cast<std::uint8_t>(carry & 0xFFU);
            carry >>= 8U;
        }
        for (; carry > 0; carry >>= 8U)
            bytes.push_back(static_cast<std::uint8_t>(carry & 0xFFU));
    }
    bytes.insert(bytes.end(), zeros, 0);
    std::reverse(bytes.begin(), bytes.end());
    return bytes;
}

}  // namespace creto
