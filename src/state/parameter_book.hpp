// ParameterBook: which parameters are in force in an epoch, and which are decided for a later one.
//
// Why      Views, seats that are set aside and quotas follow from them, so all nodes read the same ones.
// Source   docs/decisions/0035-agreed-parameters.md. Who may decide says SeatBook.
// Holds    [PARAM-LATER.1] What epoch e decides is in force from e+2 on, as the roster is. [PARAM-ONCE.1]
//          Changes of a parameter are numbered, and only the next one can be made: no signature makes
//          the same change twice. [PARAM-BOUND.1] A value that a leaf holds is one that may be decided.
// Errors   The reason why a change cannot be.
// Leaves   parameter/NAME, of those that were ever changed.
// Cost     O(1): three values of a parameter at most, that in force and those of two epochs to come.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "model/ids.hpp"
#include "model/parameters.hpp"
#include "state/merkle_map.hpp"

namespace creto {

class ParameterBook {
public:
    /// As the genesis has them.
    explicit ParameterBook(const Parameters& first) : first_{first} {}

    struct Decided {
        Epoch from;
        std::uint32_t value = 0;
        friend bool operator==(const Decided&, const Decided&) = default;
    };
    /// What became of one parameter.
    struct History {
        std::uint32_t changes = 0;     ///< Since the genesis.
        std::vector<Decided> decided;  ///< By epoch, strictly ascending.
        friend bool operator==(const History&, const History&) = default;
    };

    /// Requires: the epoch is not before that of the latest decision.
    [[nodiscard]] Parameters in(Epoch epoch) const;
    [[nodiscard]] const History& of(Parameter parameter) const {
        return histories_[static_cast<std::size_t>(parameter)];
    }

    /// Why this cannot be the next change of its parameter, in force from this epoch on.
    [[nodiscard]] std::optional<std::string> refusal(const ParameterChange& change, Epoch from)
        const;
    /// In words. Requires: nothing to refuse; `from` is the epoch after the next.
    std::string decide(const ParameterChange& change, Epoch from, MerkleMap& map);

    static constexpr std::string_view prefix = "parameter/";
    /// One leaf. False: it is malformed.
    [[nodiscard]] bool restore(const std::string& key, ByteView value);

private:
    Parameters first_;
    std::array<History, all_parameters.size()> histories_;
};

void encode(Writer& w, const ParameterBook::Decided& v);
void decode(Reader& r, ParameterBook::Decided& v);
void encode(Writer& w, const ParameterBook::History& v);
void decode(Reader& r, ParameterBook::History& v);

}  // namespace creto
