// Address: where an agent listens, in libp2p's text form: /ip4/127.0.0.1/tcp/4001.
#pragma once

#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.hpp"

namespace creto {

/// Reads /ip4/A/tcp/P and /ip6/A/tcp/P, with or without /p2p/… behind it.
[[nodiscard]] Result<boost::asio::ip::tcp::endpoint> parse_address(std::string_view text);
[[nodiscard]] std::string address_text(const boost::asio::ip::tcp::endpoint& endpoint);
/// Whose addresses these probably are: the IPv4 /24, the IPv6 /48; on loopback the address itself, as
/// there each may stand for a machine.
[[nodiscard]] std::string address_group(const boost::asio::ip::address& address);

}  // namespace creto
