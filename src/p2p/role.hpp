// Role: which side of a connection we are.
#pragma once

#include <cstdint>

namespace creto::p2p {

/// Who opened the connection dials the protocols and numbers its streams odd.
enum class Role : std::uint8_t { initiator, responder };

}  // namespace creto::p2p
