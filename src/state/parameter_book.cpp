#include "state/parameter_book.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {

namespace {

/// What is in force, what is decided for the next epoch, and for the one after.
constexpr std::size_t decided_max = 3;

std::string key_of(Parameter parameter) {
    return std::string{ParameterBook::prefix} + to_string(parameter);
}

}  // namespace

Parameters ParameterBook::in(Epoch epoch) const {
    Parameters out = first_;
    for (const Parameter parameter : all_parameters) {
        for (const Decided& decided : of(parameter).decided)
            if (decided.from <= epoch) value_of(out, parameter) = decided.value;
    }
    return out;
}

std::optional<std::string> ParameterBook::refusal(const ParameterChange& change, Epoch from) const {
    const std::string name = to_string(change.parameter);
    const std::uint32_t changes = of(change.parameter).changes;
    if (change.number != changes + 1) {
        return "change " + std::to_string(change.number) + " of " + name +
               " cannot be made: the next is " + std::to_string(changes + 1);
    }
    if (auto why = creto::refusal(change.parameter, change.value)) return name + ": " + *why;
    if (value_of(in(from), change.parameter) == change.value) {
        return name + " is " + std::to_string(change.value) +
               " already, as far as is decided for epoch " + std::to_string(from.value());
    }
    return std::nullopt;
}

std::string ParameterBook::decide(const ParameterChange& change, Epoch from, MerkleMap& map) {
    History& history = histories_[static_cast<std::size_t>(change.parameter)];
    std::vector<Decided>& decided = history.decided;
    if (!decided.empty() && decided.back().from == from) decided.pop_back();
    // Of what is in force by now only the latest.
    while (decided.size() > 1 && decided[1].from.plus(2) <= from)
        decided.erase(decided.begin());
    decided.push_back({from, change.value});
    CRETO_ASSERT(decided.size() <= decided_max);
    history.changes = change.number;
    map.set(key_of(change.parameter), encode_bytes(history));
    return std::string{to_string(change.parameter)} + " becomes " + std::to_string(change.value);
}

bool ParameterBook::restore(const std::string& key, ByteView value) {
    const auto parameter = parameter_named(std::string_view{key}.substr(prefix.size()));
    auto history = decode_exact<History>(value);
    if (!parameter || !history) return false;
    for (const Decided& decided : history->decided)
        if (creto::refusal(*parameter, decided.value)) return false;
    histories_[static_cast<std::size_t>(*parameter)] = std::move(*history);
    return true;
}

void encode(Writer& w, const ParameterBook::Decided& v) {
    encode(w, v.from);
    w.uvarint(v.value);
}
void decode(Reader& r, ParameterBook::Decided& v) {
    decode(r, v.from);
    const std::uint64_t value = r.uvarint();
    if (value > ~std::uint32_t{0}) r.fail(DecodeError::over_limit);
    v.value = static_cast<std::uint32_t>(value);
}

void encode(Writer& w, const ParameterBook::History& v) {
    w.uvarint(v.changes);
    encode_list(w, v.decided);
}
void decode(Reader& r, ParameterBook::History& v) {
    const std::uint64_t changes = r.uvarint();
    if (changes == 0 || changes > ~std::uint32_t{0}) r.fail(DecodeError::bad_value);
    v.changes = static_cast<std::uint32_t>(changes);
    decode_list(r, v.decided, decided_max, 2);
    if (v.decided.empty()) r.fail(DecodeError::bad_value);
    for (std::size_t i = 1; i < v.decided.size(); ++i)
        if (v.decided[i].from <= v.decided[i - 1].from) r.fail(DecodeError::bad_value);
}

}  // namespace creto
