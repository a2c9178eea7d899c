// Whatever decodes as a receipt encodes to the same bytes again, and is not believed: no input holds
// a quorum's signatures.
#include <cstdlib>

#include "state/final_receipt.hpp"

namespace {
using namespace creto;

Roster roster_of_four() {
    Genesis genesis;
    genesis.network = "fuzz";
    genesis.epoch_blocks = 3;  // So that links are followed.
    for (std::uint32_t i = 0; i < 4; ++i) {
        std::array<std::uint8_t, 32> key{};
        key[0] = static_cast<std::uint8_t>(i + 1);
        genesis.members.push_back({Seat{i}, PublicKey{key}, "agent-" + std::to_string(i)});
    }
    return Roster{genesis};
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Roster roster = roster_of_four();
    static const TagScheme scheme;
    const ByteView input{data, size};
    if (const auto receipt = decode_exact<FinalReceipt>(input)) {
        if (!equal(encode_bytes(*receipt), input)) std::abort();
        if (verify(*receipt, roster, scheme)) std::abort();
    }
    return 0;
}
