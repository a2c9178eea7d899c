#include "runtime/address.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace creto {

namespace asio = boost::asio;

Result<asio::ip::tcp::endpoint> parse_address(std::string_view text) {
    std::vector<std::string> parts;
    std::string_view rest = text;
    while (!rest.empty() && rest.front() == '/') {
        const std::size_t end = rest.find('/', 1);
        parts.emplace_back(rest.substr(1, end == std::string_view::npos ? end : end - 1));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
    }
    const auto refuse = [&] {
        return fail(
            ErrorCode::invalid,
            "\"" + std::string{text} + "\" is not an address; expected /ip4/127.0.0.1/tcp/4001"
        );
    };
    const bool shape = rest.empty() && (parts.size() == 4 || parts.size() == 6) &&
                       (parts[0] == "ip4" || parts[0] == "ip6") && parts[2] == "tcp" &&
                       (parts.size() == 4 || parts[4] == "p2p");
    if (!shape) return refuse();
    boost::system::error_code error;
    const auto host = asio::ip::make_address(parts[1], error);
    std::uint16_t port = 0;
    const char* end = parts[3].data() + parts[3].size();
    const auto parsed = std::from_chars(parts[3].data(), end, port);
    if (error || host.is_v4() != (parts[0] == "ip4") || parsed.ec != std::errc{} ||
        parsed.ptr != end) {
        return refuse();
    }
    return asio::ip::tcp::endpoint{host, port};
}

std::string address_text(const asio::ip::tcp::endpoint& endpoint) {
    const std::string kind = endpoint.address().is_v4() ? "/ip4/" : "/ip6/";
    return kind + endpoint.address().to_string() + "/tcp/" + std::to_string(endpoint.port());
}

std::string address_group(const asio::ip::address& address) {
    if (address.is_loopback()) return address.to_string();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return address_group(asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()));
    if (address.is_v4()) {
        auto bytes = address.to_v4().to_bytes();
        bytes[3] = 0;
        return asio::ip::address_v4{bytes}.to_string() + "/24";
    }
    auto bytes = address.to_v6().to_bytes();
    std::fill(bytes.begin() + 6, bytes.end(), std::uint8_t{0});
    return asio::ip::address_v6{bytes}.to_string() + "/48";
}

}  // namespace creto
