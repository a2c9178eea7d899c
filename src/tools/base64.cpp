#include "tools/base64.hpp"

namespace creto {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = bytes.size() - i;
        const std::uint32_t group = (std::uint32_t{bytes[i]} << 16U) |
                                    (have > 1 ? std::uint32_t{bytes[i + 1]} << 8U : 0U) |
                                    (have > 2 ? std::uint32_t{bytes[i + 2]} : 0U);
        text.push_back(alphabet[(group >> 18U) & 63U]);
        text.push_back(alphabet[(group >> 12U) & 63U]);
        text.push_back(have > 1 ? alphabet[(group >> 6U) & 63U] : '=');
        text.push_back(have > 2 ? alphabet[group & 63U] : '=');
    }
    return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    Bytes bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::size_t padding = !last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 4 - padding; ++j) {
            const auto value = alphabet.find(text[i + j]);
            if (value == std::string_view::npos) return std::nullopt;
            group |= static_cast<std::uint32_t>(value) << (18U - 6U * j);
        }
        // One byte string has one text: the bits under the padding are zero.
        if (padding == 1 && (group & 0xFFU) != 0) return std::nullopt;
        if (padding == 2 && (group & 0xFFFFU) != 0) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(group >> 16U));
        if (padding < 2) bytes.push_back(static_cast<std::uint8_t>(group >> 8U));
        if (padding < 1) bytes.push_back(static_cast<std::uint8_t>(group));
    }
    return bytes;
}

}  // namespace creto
