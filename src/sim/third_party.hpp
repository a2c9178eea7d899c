// ThirdParty: judges a proof as somebody who was not there, from its bytes and the genesis alone.
//
// Why      An accusation that only its witnesses can check is gossip. Every proof that an honest
//          node hands on is judged here again, with nothing that a node knows.
// Holds    A proof is good when one member of the genesis (or one provider) signed two statements
//          that no correct agent signs together. The rules are said anew; only the decoder of bytes
//          and the hash functions are shared with what is checked.
// Errors   invalid: what is wrong with the proof, in words.
#pragma once

#include "crypto/signature.hpp"
#include "model/evidence.hpp"
#include "model/genesis.hpp"

namespace creto {

/// Who is proven to have lied by these bytes, the canonical form of an Evidence.
[[nodiscard]] Result<AgentId> judge_proof(
    ByteView proof, const Genesis& genesis, const SignatureScheme& scheme
);

}  // namespace creto
