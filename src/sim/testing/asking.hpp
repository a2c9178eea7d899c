// Asking: what tests of whole simulated nodes ask them, and what comes back; tests only.
#pragma once

#include <string>
#include <utility>

#include "sim/cluster.hpp"

namespace creto::sim_testing {

inline NodeIndex at(std::uint32_t number) {
    return NodeIndex{number};
}

/// Submits and runs until there is an answer; an error of the cluster's own if there is none.
inline ReplyBody ask(SimCluster& cluster, NodeIndex node, CommandBody body) {
    const Ticket ticket = cluster.submit(node, std::move(body));
    (void)cluster.run_until([&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(60));
    const ReplyBody* reply = cluster.reply(ticket);
    return reply != nullptr ? *reply
                            : ReplyBody{Error{ErrorCode::timeout, "none: " + cluster.violation()}};
}

inline std::string text_of(const ReplyBody& reply) {
    const auto* error = std::get_if<Error>(&reply);
    return error == nullptr ? "no error" : error->message;
}

/// One more on the counter final/n; what became of it. Empty: it was applied.
inline std::string add_final(SimCluster& cluster, std::uint32_t node) {
    const KeyOperation add_one{KeyOperation::Action::add, "final/n", {}, 1};
    const ReplyBody reply =
        ask(cluster, at(node), Submit{add_one, Reading::final, Duration::from_s(20)});
    const auto* done = std::get_if<SubmitReply>(&reply);
    return done == nullptr ? text_of(reply) : done->reason;
}

/// The final counter that these tests add to, as a node reads it: "none" before the first write.
inline std::string final_n(SimCluster& cluster, std::uint32_t node) {
    const ReplyBody reply = ask(cluster, at(node), ReadKey{"final/n"});
    const auto* found = std::get_if<KeyReply>(&reply);
    if (found == nullptr) return text_of(reply);
    return found->values.empty() ? "none" : std::string{as_text(found->values[0])};
}

inline RosterReply roster_at(SimCluster& cluster, std::uint32_t node) {
    return std::get<RosterReply>(ask(cluster, at(node), AskRoster{}));
}

}  // namespace creto::sim_testing
