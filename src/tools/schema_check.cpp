// Checks a value against a Program.
#include <algorithm>

#include "tools/schema_program.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace schema {
namespace {

/// Which items or members of one value were looked at by a schema that accepted the value.
class Marks {
public:
    void mark(std::size_t index) {
        if (index >= seen_.size()) seen_.resize(index + 1);
        seen_[index] = true;
    }
    [[nodiscard]] bool has(std::size_t index) const { return index < seen_.size() && seen_[index]; }
    [[nodiscard]] std::size_t size() const { return seen_.size(); }
    void merge(const Marks& other) {
        for (std::size_t i = 0; i < other.seen_.size(); ++i) {
            if (other.seen_[i]) mark(i);
        }
    }

private:
    std::vector<bool> seen_;
};

/// One check of one value. Every step answers whether the value matches; when it does not,
/// `failure_` says why, unless that is not of interest (quiet) or the work was cut short (stopped).
class Checker {
public:
    explicit Checker(const Program& program)
        : program_{program}, steps_left_{program.limits.steps_max} {}

    Result<void> run(const Json& value) {
        if (apply(0, value, nullptr)) return {};
        if (stopped_) return fail(ErrorCode::limit, std::string{stopped_});
        const std::string where = utf8::clipped(failure_.where, part_bytes_max);
        return fail(
            ErrorCode::invalid,
            utf8::clipped(failure_.what, part_bytes_max) + " at " +
                (where.empty() ? "the top" : where) + " (schema " +
                utf8::clipped(failure_.rule, part_bytes_max) + ")"
        );
    }

private:
    static constexpr std::size_t part_bytes_max = 256;  ///< Of one part of a message.

    struct Failure {
        std::string what;
        std::string where;  ///< JSON Pointer into the value; grows at the front.
        std::string rule;   ///< JSON Pointer into the schema.
    };

    bool stop(const char* why) {
        if (!stopped_) stopped_ = why;
        return false;
    }
    /// Takes steps from the budget; false when it is used up.
    bool spend(std::uint64_t steps) {
        if (steps > steps_left_) return stop("the schema asks for too much work on this value");
        steps_left_ -= steps;
        return true;
    }
    /// Answers false; `what` is only called when someone will read it.
    template <class What>
    bool mismatch(const Node& node, std::string_view keyword, const What& what) {
        if (quiet_ > 0 || stopped_) return false;
        failure_ = {
            .what = what(),
            .where = {},
            .rule = keyword.empty() ? node.pointer : node.pointer + "/" + std::string{keyword}};
        if (failure_.rule.empty()) failure_.rule = "itself";
        return false;
    }

    bool apply(NodeId id, const Json& value, Marks* marks);
    bool apply_tracked(const Node& node, const Json& value, Marks& marks);
    bool rules(const Node& node, const Json& value, Marks* marks);
    /// A schema for the same value: its marks count only when it accepts the value.
    bool in_place(NodeId id, const Json& value, Marks* marks);
    bool quietly(NodeId id, const Json& value, Marks* marks);
    /// A schema for a part of the value.
    bool part(NodeId id, const Json& value, std::string_view key);
    bool part(NodeId id, const Json& value, std::size_t index);
    bool describe_part(std::string_view key);

    bool type(const Node& node, const Json& value);
    bool listed(const Node& node, const Json& value);
    bool number(const Node& node, const Decimal& value);
    bool string(const Node& node, const std::string& value);
    bool array(const Node& node, const JsonArray& items, Marks* marks);
    bool contains(const Node& node, const JsonArray& items, Marks* marks);
    bool unique(const Node& node, const JsonArray& items);
    bool object(const Node& node, const JsonObject& members, Marks* marks);
    bool member(const ObjectRules& rules, const JsonMember& member, bool& known);
    bool dependencies(const Node& node, const Json& value, Marks* marks);
    bool applicators(const Node& node, const Json& value, Marks* marks);
    bool any_of(const Node& node, const Json& value, Marks* marks);
    bool one_of(const Node& node, const Json& value, Marks* marks);
    bool unevaluated(const Node& node, const Json& value, Marks& marks);
    [[nodiscard]] NodeId dynamic_target(const Applicators& rules) const;

    const Program& program_;
    std::uint64_t steps_left_;
    std::size_t depth_ = 0;
    std::size_t quiet_ = 0;
    const char* stopped_ = nullptr;
    std::vector<ResourceId> scope_;  ///< Resources entered, outermost first; kept when needed.
    Failure failure_;
};

std::string count_text(
    std::uint64_t have, const char* noun, const char* bound, std::uint64_t want
) {
    return std::to_string(have) + " " + noun + ", " + bound + " " + std::to_string(want);
}

// Recursion is bounded by SchemaLimits::depth_max. NOLINTBEGIN(misc-no-recursion)

bool Checker::apply(NodeId id, const Json& value, Marks* marks) {
    const Node& node = program_.nodes[id];
    if (!spend(1)) return false;
    if (depth_ >= program_.limits.depth_max) {
        return stop("the schema applies too many schemas inside each other");
    }
    if (node.never) {
        return mismatch(node, "", [] { return std::string{"nothing is allowed"}; });
    }
    ++depth_;
    const bool enters =
        program_.has_dynamic_references && (scope_.empty() || scope_.back() != node.resource);
    if (enters) scope_.push_back(node.resource);
    bool matches = false;
    const bool tracks = node.unevaluated_items != no_node || node.unevaluated_properties != no_node;
    if (!tracks) {
        matches = rules(node, value, marks);
    } else if (marks) {
        matches = apply_tracked(node, value, *marks);
    } else {
        Marks own;
        matches = apply_tracked(node, value, own);
    }
    if (enters) scope_.pop_back();
    --depth_;
    return matches && !stopped_;
}

bool Checker::apply_tracked(const Node& node, const Json& value, Marks& marks) {
    return rules(node, value, &marks) && unevaluated(node, value, marks);
}

bool Checker::rules(const Node& node, const Json& value, Marks* marks) {
    if (!type(node, value) || !listed(node, value)) return false;
    switch (value.kind()) {
        case Json::Kind::number:
            if (node.number && !number(node, *value.number())) return false;
            break;
        case Json::Kind::string:
            if (node.string && !string(node, *value.string())) return false;
            break;
        case Json::Kind::array:
            if (node.array && !array(node, *value.array(), marks)) return false;
            break;
        case Json::Kind::object:
            if (node.object && !object(node, *value.object(), marks)) return false;
            if (node.object && !dependencies(node, value, marks)) return false;
            break;
        default:
            break;
    }
    return !node.applicators || applicators(node, value, marks);
}

bool Checker::in_place(NodeId id, const Json& value, Marks* marks) {
    if (!marks) return apply(id, value, nullptr);
    Marks own;
    if (!apply(id, value, &own) || !spend(own.size() / 4)) return false;
    marks->merge(own);
    return true;
}

bool Checker::quietly(NodeId id, const Json& value, Marks* marks) {
    ++quiet_;
    const bool matches = in_place(id, value, marks);
    --quiet_;
    return matches;
}

bool Checker::part(NodeId id, const Json& value, std::string_view key) {
    return apply(id, value, nullptr) || describe_part(key);
}

bool Checker::part(NodeId id, const Json& value, std::size_t index) {
    return apply(id, value, nullptr) || describe_part(std::to_string(index));
}

bool Checker::describe_part(std::string_view key) {
    if (quiet_ == 0 && !stopped_) failure_.where.insert(0, "/" + pointer_token(key));
    return false;
}

bool Checker::type(const Node& node, const Json& value) {
    const auto kind = static_cast<unsigned>(value.kind());
    if ((node.types >> kind) & 1U) return true;
    if ((node.types & integer_type) != 0 && value.number() && value.number()->is_integer()) {
        return true;
    }
    return mismatch(node, "type", [&] {
        std::string expected;
        for (unsigned bit = 0; bit < 7; ++bit) {
            if (((node.types >> bit) & 1U) == 0) continue;
            expected += expected.empty() ? "" : " or ";
            expected += bit == 6 ? "integer" : to_string(static_cast<Json::Kind>(bit));
        }
        return "expected " + expected + ", found " + to_string(value.kind());
    });
}

bool Checker::listed(const Node& node, const Json& value) {
    if (node.constant_cost == 0) return true;
    if (!spend(node.constant_cost)) return false;
    if (node.constant && *node.constant != value) {
        return mismatch(node, "const", [] { return std::string{"not the one value allowed"}; });
    }
    if (node.choices && !std::binary_search(node.choices->begin(), node.choices->end(), value)) {
        return mismatch(node, "enum", [] { return std::string{"none of the values allowed"}; });
    }
    return true;
}

bool Checker::number(const Node& node, const Decimal& value) {
    const NumberRules& rules = *node.number;
    const auto refuse = [&](std::string_view keyword, const char* relation, const Decimal& bound) {
        return mismatch(node, keyword, [&] {
            return value.text() + " is not " + relation + " " + bound.text();
        });
    };
    if (value.is_large() && !spend(Decimal::digits_max / 16)) return false;
    if (rules.minimum && value < *rules.minimum) {
        return refuse("minimum", "at least", *rules.minimum);
    }
    if (rules.maximum && value > *rules.maximum) {
        return refuse("maximum", "at most", *rules.maximum);
    }
    if (rules.exclusive_minimum && value <= *rules.exclusive_minimum) {
        return refuse("exclusiveMinimum", "above", *rules.exclusive_minimum);
    }
    if (rules.exclusive_maximum && value >= *rules.exclusive_maximum) {
        return refuse("exclusiveMaximum", "below", *rules.exclusive_maximum);
    }
    if (!rules.multiple_of) return true;
    const bool large = value.is_large() || rules.multiple_of->is_large();
    constexpr std::uint64_t long_division = 20'000;  // Its worst case, about 0.2 ms.
    if (!spend(large ? long_division : 4)) return false;
    if (!Decimal::is_multiple(value, *rules.multiple_of)) {
        return refuse("multipleOf", "a multiple of", *rules.multiple_of);
    }
    return true;
}

bool Checker::string(const Node& node, const std::string& value) {
    const StringRules& rules = *node.string;
    if (!spend(1 + value.size() / 32)) return false;
    if (rules.length_min > 0 || rules.length_max != no_bound) {
        const std::uint64_t length = utf8::length(value);
        if (length < rules.length_min) {
            return mismatch(node, "minLength", [&] {
                return count_text(length, "characters", "at least", rules.length_min);
            });
        }
        if (length > rules.length_max) {
            return mismatch(node, "maxLength", [&] {
                return count_text(length, "characters", "at most", rules.length_max);
            });
        }
    }
    if (!rules.pattern) return true;
    if (!spend(rules.pattern->cost(value.size()))) return false;
    if (rules.pattern->found_in(value)) return true;
    return mismatch(node, "pattern", [] { return std::string{"does not match the pattern"}; });
}

bool Checker::array(const Node& node, const JsonArray& items, Marks* marks) {
    const ArrayRules& rules = *node.array;
    if (items.size() < rules.items_min) {
        return mismatch(node, "minItems", [&] {
            return count_text(items.size(), "items", "at least", rules.items_min);
        });
    }
    if (items.size() > rules.items_max) {
        return mismatch(node, "maxItems", [&] {
            return count_text(items.size(), "items", "at most", rules.items_max);
        });
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        const NodeId schema = i < rules.prefix.size() ? rules.prefix[i] : rules.items;
        if (schema == no_node) break;
        if (!part(schema, items[i], i)) return false;
        if (marks) marks->mark(i);
    }
    if (rules.contains != no_node && !contains(node, items, marks)) return false;
    return !rules.unique || unique(node, items);
}

bool Checker::contains(const Node& node, const JsonArray& items, Marks* marks) {
    const ArrayRules& rules = *node.array;
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (!quietly(rules.contains, items[i], nullptr)) {
            if (stopped_) return false;
            continue;
        }
        ++found;
        if (marks) marks->mark(i);
    }
    if (found < rules.contains_min) {
        return mismatch(node, "contains", [&] {
            return count_text(found, "items of the kind asked for", "at least", rules.contains_min);
        });
    }
    if (found > rules.contains_max) {
        return mismatch(node, "maxContains", [&] {
            return count_text(found, "items of the kind asked for", "at most", rules.contains_max);
        });
    }
    return true;
}

bool Checker::unique(const Node& node, const JsonArray& items) {
    if (items.size() < 2) return true;
    std::uint64_t cost = 0;
    for (const Json& item : items)
        cost += weight(item);
    std::uint64_t levels = 1;
    for (std::size_t n = items.size(); n > 1; n /= 2)
        ++levels;
    if (!spend(cost * levels / 4)) return false;
    std::vector<const Json*> sorted;
    sorted.reserve(items.size());
    for (const Json& item : items)
        sorted.push_back(&item);
    std::sort(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return *a < *b; });
    const auto twice = std::adjacent_find(
        sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return *a == *b; }
    );
    if (twice == sorted.end()) return true;
    return mismatch(node, "uniqueItems", [] { return std::string{"an item occurs twice"}; });
}

bool Checker::object(const Node& node, const JsonObject& members, Marks* marks) {
    const ObjectRules& rules = *node.object;
    if (members.size() < rules.members_min) {
        return mismatch(node, "minProperties", [&] {
            return count_text(members.size(), "members", "at least", rules.members_min);
        });
    }
    if (members.size() > rules.members_max) {
        return mismatch(node, "maxProperties", [&] {
            return count_text(members.size(), "members", "at most", rules.members_max);
        });
    }
    const auto missing = [&](const Property& property) {
        return mismatch(node, "required", [&] {
            return "the member \"" + property.name + "\" is missing";
        });
    };
    if (!spend(rules.properties_cost)) return false;
    // Both lists are sorted by name, so one walk over the two pairs them up.
    auto property = rules.properties.begin();
    const auto end = rules.properties.end();
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (!spend(1 + members[i].key.size() / 64)) return false;
        int order = -1;
        while (property != end && (order = property->name.compare(members[i].key)) < 0) {
            if (property->required) return missing(*property);
            ++property;
        }
        bool known = false;
        if (property != end && order == 0) {
            known = property->node != no_node;
            if (known && !part(property->node, members[i].value, members[i].key)) return false;
            ++property;
        }
        if (!member(rules, members[i], known)) return false;
        if (known && marks) marks->mark(i);
    }
    for (; property != end; ++property) {
        if (property->required) return missing(*property);
    }
    return true;
}

/// The rules for members by name, beyond `properties`.
bool Checker::member(const ObjectRules& rules, const JsonMember& member, bool& known) {
    for (const auto& [pattern, schema] : rules.patterns) {
        if (!spend(pattern.cost(member.key.size()))) return false;
        if (!pattern.found_in(member.key)) continue;
        known = true;
        if (!part(schema, member.value, member.key)) return false;
    }
    if (!known && rules.additional != no_node) {
        known = true;
        if (!part(rules.additional, member.value, member.key)) return false;
    }
    return rules.names == no_node || part(rules.names, Json{member.key}, member.key);
}

bool Checker::dependencies(const Node& node, const Json& value, Marks* marks) {
    const ObjectRules& rules = *node.object;
    for (const auto& rule : rules.dependent_required) {
        if (!spend(1 + rule.second.size())) return false;
        if (!value.find(rule.first)) continue;
        for (const std::string& other : rule.second) {
            if (value.find(other)) continue;
            return mismatch(node, "dependentRequired", [&] {
                return "the member \"" + other + "\" is missing, which \"" + rule.first +
                       "\" asks for";
            });
        }
    }
    for (const auto& [name, schema] : rules.dependent_schemas) {
        if (!spend(1)) return false;
        if (value.find(name) && !in_place(schema, value, marks)) return false;
    }
    return true;
}

bool Checker::applicators(const Node& node, const Json& value, Marks* marks) {
    const Applicators& rules = *node.applicators;
    if (rules.reference != no_node && !in_place(rules.reference, value, marks)) return false;
    if (rules.dynamic_reference != no_node && !spend(scope_.size())) return false;
    if (rules.dynamic_reference != no_node && !in_place(dynamic_target(rules), value, marks)) {
        return false;
    }
    for (const NodeId schema : rules.all_of) {
        if (!in_place(schema, value, marks)) return false;
    }
    if (!rules.any_of.empty() && !any_of(node, value, marks)) return false;
    if (!rules.one_of.empty() && !one_of(node, value, marks)) return false;
    if (rules.negated != no_node && quietly(rules.negated, value, nullptr)) {
        return mismatch(node, "not", [] { return std::string{"matches what is not allowed"}; });
    }
    if (rules.condition != no_node && !stopped_) {
        const NodeId then =
            quietly(rules.condition, value, marks) ? rules.consequence : rules.alternative;
        if (!stopped_ && then != no_node && !in_place(then, value, marks)) return false;
    }
    return !stopped_;
}

bool Checker::any_of(const Node& node, const Json& value, Marks* marks) {
    bool matches = false;
    for (const NodeId schema : node.applicators->any_of) {
        matches = quietly(schema, value, marks) || matches;
        if (stopped_) return false;
        if (matches && !marks) return true;  // The others could only add marks.
    }
    return matches || mismatch(node, "anyOf", [&] {
               return "matches none of " + std::to_string(node.applicators->any_of.size()) +
                      " alternatives";
           });
}

bool Checker::one_of(const Node& node, const Json& value, Marks* marks) {
    std::size_t found = 0;
    for (const NodeId schema : node.applicators->one_of) {
        if (quietly(schema, value, marks)) ++found;
        if (stopped_) return false;
        if (found == 2) break;
    }
    return found == 1 || mismatch(node, "oneOf", [&] {
               return found == 0
                          ? "matches none of " + std::to_string(node.applicators->one_of.size()) +
                                " alternatives"
                          : std::string{"matches more than one alternative"};
           });
}

bool Checker::unevaluated(const Node& node, const Json& value, Marks& marks) {
    const JsonArray* items = value.array();
    if (items && node.unevaluated_items != no_node) {
        if (!spend(items->size() / 4)) return false;
        for (std::size_t i = 0; i < items->size(); ++i) {
            if (!marks.has(i) && !part(node.unevaluated_items, (*items)[i], i)) return false;
            marks.mark(i);
        }
    }
    const JsonObject* members = value.object();
    if (members && node.unevaluated_properties != no_node) {
        if (!spend(members->size() / 4)) return false;
        for (std::size_t i = 0; i < members->size(); ++i) {
            const auto& [key, child] = (*members)[i];
            if (!marks.has(i) && !part(node.unevaluated_properties, child, key)) return false;
            marks.mark(i);
        }
    }
    return true;
}

// NOLINTEND(misc-no-recursion)

/// The anchor of that name in the outermost resource that has one.
NodeId Checker::dynamic_target(const Applicators& rules) const {
    if (rules.dynamic_anchor.empty()) return rules.dynamic_reference;
    for (const ResourceId resource : scope_) {
        const auto& anchors = program_.resources[resource].dynamic_anchors;
        if (const auto it = anchors.find(rules.dynamic_anchor); it != anchors.end()) {
            return it->second;
        }
    }
    return rules.dynamic_reference;
}

}  // namespace
}  // namespace schema

Result<void> Schema::check(const Json& value) const {
    return schema::Checker{*program_}.run(value);
}

}  // namespace creto
