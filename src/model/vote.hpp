// Vote, proposal signature and certificate: what seats sign to order blocks.
//
// Source   Simplex (Chan and Pass 2023), section 2; Notarize, Nullify and Finalize as named there.
// Holds    The parent view is inside the signed content: the same block on another parent is
//          another vote. The leader's signature of its proposal IS its notarize vote. A certificate
//          is `q` votes of equal content by distinct seats; the roster says whether each of them has its
//          signature there, or all together have one (VoteForm). A burial says of a stretch of views that
//          each of them was nullified; t+1 seats that hold the proof make one, since one of them is
//          honest. What it says stays true, so it contradicts nothing and may be said again.
// Units    A certificate's bitmap has one bit per roster member, by index, least significant first.
#pragma once

#include <bit>
#include <optional>
#include <vector>

#include "model/genesis.hpp"
#include "model/ids.hpp"

namespace creto {

enum class VoteKind : std::uint8_t { notarize, nullify, finalize, bury };

[[nodiscard]] const char* to_string(VoteKind kind);

/// What a vote says, without who says it.
struct VoteContent {
    VoteKind kind = VoteKind::notarize;
    Epoch epoch;
    View view;
    View parent_view;  ///< 0 for nullify. A burial is about the views after this one up to `view`.
    BlockId block;     ///< Zero for nullify and bury.

    friend bool operator==(const VoteContent&, const VoteContent&) = default;
    friend auto operator<=>(const VoteContent&, const VoteContent&) = default;
};

struct Vote {
    VoteContent content;
    Seat seat;
    Signature signature;

    friend bool operator==(const Vote&, const Vote&) = default;
};

struct Certificate {
    VoteContent content;
    Bytes signers;  ///< Bitmap over the roster's members.
    /// One for each set bit, in order; or one for all.
    std::vector<Signature> signatures;

    [[nodiscard]] std::uint32_t count() const {
        std::uint32_t bits = 0;
        for (const std::uint8_t byte : signers)
            bits += static_cast<std::uint32_t>(std::popcount(byte));
        return bits;
    }
    [[nodiscard]] bool signed_by(std::uint32_t index) const {
        return index / 8 < signers.size() && (signers[index / 8] >> (index % 8) & 1U) != 0;
    }
    /// Visits the places of those that signed, ascending, until `visit` says false. False: it did.
    template <class Visit>
    bool each_signer(const Visit& visit) const {
        for (std::size_t i = 0; i < signers.size(); ++i) {
            for (unsigned rest = signers[i]; rest != 0; rest &= rest - 1) {
                const auto bit = static_cast<std::uint32_t>(std::countr_zero(rest));
                if (!visit(static_cast<std::uint32_t>(i) * 8 + bit)) return false;
            }
        }
        return true;
    }
    /// A signature more, in a list. Requires: the bitmap has the roster's length, and nobody at or
    /// above this place has signed.
    void add(std::uint32_t index, const Signature& signature) {
        signers[index / 8] |= static_cast<std::uint8_t>(1U << (index % 8));
        signatures.push_back(signature);
    }
    friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// Votes of equal content that one seat has collected from others of its group, on their way to those
/// who make certificates: fewer than a quorum.
struct PartialCertificate {
    Certificate votes;
    friend bool operator==(const PartialCertificate&, const PartialCertificate&) = default;
};

/// Views per burial of the lowest level; each higher level has as many of the level below.
inline constexpr std::uint64_t burial_span = 64;
/// The stretches of views that can be buried: `burial_span` to some power long, and aligned, so that
/// seats that know different things still speak of the same stretch.
[[nodiscard]] bool can_be_buried(View base, View last);

/// Form only: bitmap of the roster's length without spare bits, one signature for each bit or one for
/// all as the roster says, at least a quorum (t+1 for a burial), no block in a nullification.
/// Signatures are checked apart.
[[nodiscard]] Result<void> well_formed(const Certificate& certificate, const Roster& roster);
/// The same for at least one vote. No burials: those are few, and said to all.
[[nodiscard]] Result<void> well_formed(const PartialCertificate& partial, const Roster& roster);

/// With room for so many signatures, and none yet.
[[nodiscard]] Certificate unsigned_certificate(
    const VoteContent& content, const Roster& roster, std::size_t signatures
);
/// Puts votes of equal content together. Requires: distinct seats of the roster, equal content; where
/// votes are joined a signer that joins.
[[nodiscard]] Certificate make_certificate(
    const std::vector<Vote>& votes, const Roster& roster, const Signer* joiner = nullptr
);
/// Makes one signature of those in the list, where the roster has votes joined.
void join(Certificate& certificate, const Roster& roster, const Signer* joiner);

/// True when no correct seat signs both: two different blocks notarized or finalised in one view,
/// or a view both nullified and finalised.
[[nodiscard]] bool conflict(const VoteContent& a, const VoteContent& b);

[[nodiscard]] Bytes signing_bytes(const VoteContent& content);
/// signed_bytes() of the vote on this chain.
[[nodiscard]] Bytes signed_vote(const ChainId& chain, const VoteContent& content);

void encode(Writer& w, const VoteContent& v);
void decode(Reader& r, VoteContent& v);
void encode(Writer& w, const Vote& v);
void decode(Reader& r, Vote& v);
void encode(Writer& w, const Certificate& v);
void decode(Reader& r, Certificate& v);
void encode(Writer& w, const PartialCertificate& v);
void decode(Reader& r, PartialCertificate& v);

}  // namespace creto
