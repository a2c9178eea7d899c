// Operations by themselves, as vertices carry them: whatever decodes encodes to the same bytes again,
// and its form can be judged. A session token, which users hand on, and a genesis are read the same way.
#include <cstdlib>

#include "model/genesis.hpp"
#include "model/operation.hpp"
#include "model/session.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const creto::ByteView input{data, size};
    if (const auto operation = creto::decode_exact<creto::Operation>(input)) {
        if (!creto::equal(creto::encode_bytes(*operation), input)) std::abort();
        const auto formed = creto::well_formed(*operation);
        const auto* write = std::get_if<creto::CrdtOperation>(&operation->body);
        const bool within = write == nullptr || !formed ||
                            (write->path.size() <= creto::limits::path_fields_max &&
                             write->observed.size() <= creto::limits::dots_max);
        if (!within) std::abort();
    }
    if (const auto genesis = creto::decode_exact<creto::Genesis>(input)) {
        if (!creto::equal(creto::encode_bytes(*genesis), input)) std::abort();
        if (creto::validate(*genesis)) static_cast<void>(creto::Roster{*genesis});
    }
    if (const auto token = creto::decode_exact<creto::SessionToken>(input)) {
        const auto again = creto::parse_session(creto::session_text(*token));
        if (!again || *again != *token) std::abort();
    }
    return 0;
}
