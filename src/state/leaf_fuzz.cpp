// Each kind of leaf: whatever decodes encodes to the same bytes again; nothing crashes. The first
// byte picks the kind.
#include <cstdlib>

#include "state/beacon.hpp"
#include "state/crdt_entry.hpp"
#include "state/dispute.hpp"
#include "state/exclusion.hpp"
#include "state/guest_book.hpp"
#include "state/lane_book.hpp"
#include "state/parameter_book.hpp"
#include "state/reputation.hpp"
#include "state/seat_book.hpp"
#include "state/slot.hpp"
#include "state/verdict.hpp"

namespace {
template <class T>
void round_trip(creto::ByteView input) {
    if (const auto value = creto::decode_exact<T>(input)) {
        if (!creto::equal(creto::encode_bytes(*value), input)) std::abort();
    }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const creto::ByteView input{data + 1, size - 1};
    switch (data[0] % 13) {
        case 0:
            round_trip<creto::Verdict>(input);
            break;
        case 1:
            round_trip<creto::Dispute>(input);
            break;
        case 2:
            round_trip<creto::Exclusion>(input);
            break;
        case 3:
            round_trip<creto::Reputation>(input);
            break;
        case 4:
            round_trip<creto::SeatEntry>(input);
            break;
        case 5:
            round_trip<creto::SeatBook::Asked>(input);
            break;
        case 7: {
            creto::MerkleMap leaves;
            leaves.set("lane/0", {input.begin(), input.end()});
            creto::LaneBook book;
            const bool fits = book.restore(leaves).has_value();
            if (fits && book.of(creto::Seat{}).incarnation == creto::Incarnation{}) std::abort();
            break;
        }
        case 6:
            // A name that reads as a slot's is where its place and kind begin.
            if (const auto slot = creto::read_slot(creto::as_text(input))) {
                const std::string name =
                    creto::prefix_of(slot->place, slot->kind) + std::string{slot->which};
                if (name != creto::as_text(input)) std::abort();
            }
            break;
        case 9:
            round_trip<creto::Beacon::Entry>(input);
            break;
        case 10:
            round_trip<creto::Beacon::Value>(input);
            break;
        case 11:
            round_trip<creto::ParameterBook::History>(input);
            break;
        case 12:
            round_trip<creto::GuestBook::Counts>(input);
            break;
        default:
            round_trip<creto::CrdtEntry>(input);
            break;
    }
    return 0;
}
