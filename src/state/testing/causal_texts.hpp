// What tests of the causal reading say shortly: the values at a key as texts.
#pragma once

#include <gtest/gtest.h>

#include "state/state_fixture.hpp"

namespace creto::state_test {

using Texts = std::vector<std::string>;

inline Texts texts(const std::vector<Bytes>& values) {
    Texts list;
    for (const Bytes& bytes : values)
        list.emplace_back(as_text(bytes));
    return list;
}
inline Texts values(const Node& node, const std::string& key) {
    return texts(node.causal.read(key).values);
}
inline Texts elements(const Node& node, const std::string& key, const ReadRange& range = {}) {
    return texts(node.causal.read(Place{key, {}}, range).elements);
}
inline Texts items(const Node& node, const std::string& key, const ReadRange& range = {}) {
    return texts(node.causal.read(Place{key, {}}, range).items);
}
inline std::string last(const Node& node, const std::string& key) {
    return text_of(node.causal.read(key).last);
}
inline OperationBody set_last(const std::string& key, const std::string& value) {
    return causal(CrdtOperation::Action::last_set, key, value);
}
/// The removal of all at a place, as a node expands it.
inline std::vector<OperationBody> removal(const Node& node, const Place& place) {
    auto writes = node.causal.removal(place);
    EXPECT_TRUE(writes.has_value()) << writes.error().message;
    if (!writes) return {};
    return {writes->begin(), writes->end()};
}

}  // namespace creto::state_test
