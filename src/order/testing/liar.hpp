// Liar: what a lying node of a test does with what it would send.
#pragma once

#include <vector>

#include "model/message.hpp"
#include "order/testing/seats.hpp"

namespace creto::simplex::testing {

/// The rest of the node follows the rules.
class Liar {
public:
    virtual ~Liar() = default;
    /// What really goes to this recipient.
    virtual std::vector<Message> lie(const Message& message, Index to) = 0;
};

}  // namespace creto::simplex::testing
