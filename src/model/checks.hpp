// Checked<T>: a value whose signatures hold, and the only ways to come by one.
//
// Why      Verify at the door, carry the proof in the type: the core never sees a raw vote.
// Holds    A CheckPass exists only after signatures were verified (by the host, off the protocol
//          thread, reported in a Checked event; or on the spot) or after signing oneself. A
//          Checked<T> needs a CheckPass to be made.
#pragma once

#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/signature.hpp"

namespace creto {

/// Who has signed together.
struct JoinedSigners {
    std::shared_ptr<const KeyList> list;
    Bytes signers;  ///< A bit for each key of the list, least significant first.

    [[nodiscard]] std::uint32_t count() const {
        std::uint32_t bits = 0;
        for (const std::uint8_t byte : signers)
            bits += static_cast<std::uint32_t>(std::popcount(byte));
        return bits;
    }
};

/// One signature to verify: `bytes` are signed_bytes(domain, chain, message).
struct CheckItem {
    PublicKey key;
    Bytes bytes;
    Signature signature;
    std::shared_ptr<const JoinedSigners> joined = nullptr;  ///< Then `key` says nothing.
};

[[nodiscard]] bool holds(const SignatureScheme& scheme, const CheckItem& item);

class CheckPass {
public:
    /// Verifies on the spot.
    [[nodiscard]] static Result<CheckPass> verify(
        const SignatureScheme& scheme, const std::vector<CheckItem>& items
    );
    /// For what was signed here, or read back from our own verified store.
    [[nodiscard]] static CheckPass own() { return CheckPass{}; }

private:
    friend class CheckGate;
    CheckPass() = default;
};

template <class T>
class Checked {
public:
    Checked(T value, const CheckPass& /*pass*/) : value_{std::move(value)} {}

    [[nodiscard]] const T& operator*() const { return value_; }
    [[nodiscard]] const T* operator->() const { return &value_; }

private:
    T value_;
};

/// The same for a value that somebody else keeps: an argument of a call, not to be stored.
template <class T>
class Checked<const T&> {
public:
    Checked(const T& value, const CheckPass& /*pass*/) : value_{&value} {}
    // NOLINTNEXTLINE(google-explicit-constructor): it is as checked as before
    Checked(const Checked<T>& value) : value_{&*value} {}

    [[nodiscard]] const T& operator*() const { return *value_; }
    [[nodiscard]] const T* operator->() const { return value_; }

private:
    const T* value_;
};

}  // namespace creto
