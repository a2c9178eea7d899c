// Program: what a schema document is compiled to. Shared by the compiler and the checker only.
//
// Holds    One node for each schema in the document, joined by indices: recursion costs nothing to
//          represent. The rules for one kind of value exist only where the schema has such rules.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/pattern.hpp"
#include "tools/schema.hpp"

namespace creto::schema {

using NodeId = std::uint32_t;
using ResourceId = std::uint32_t;
inline constexpr NodeId no_node = std::numeric_limits<NodeId>::max();
inline constexpr std::uint64_t no_bound = std::numeric_limits<std::uint64_t>::max();

/// Bits of Node::types: one per Json::Kind, then one for integers.
inline constexpr std::uint8_t all_types = 0x3F;
inline constexpr std::uint8_t integer_type = 0x40;

struct NumberRules {
    std::optional<Decimal> minimum;
    std::optional<Decimal> maximum;
    std::optional<Decimal> exclusive_minimum;
    std::optional<Decimal> exclusive_maximum;
    std::optional<Decimal> multiple_of;
};

struct StringRules {
    std::uint64_t length_min = 0;
    std::uint64_t length_max = no_bound;
    std::optional<Pattern> pattern;
};

struct ArrayRules {
    std::uint64_t items_min = 0;
    std::uint64_t items_max = no_bound;
    bool unique = false;
    std::vector<NodeId> prefix;
    NodeId items = no_node;
    NodeId contains = no_node;
    std::uint64_t contains_min = 1;
    std::uint64_t contains_max = no_bound;
};

struct Property {
    std::string name;
    NodeId node = no_node;  ///< None for a member that is only required.
    bool required = false;
};

struct ObjectRules {
    std::uint64_t members_min = 0;
    std::uint64_t members_max = no_bound;
    std::vector<Property> properties;   ///< Ascending by name.
    std::uint64_t properties_cost = 0;  ///< Steps to walk over them.
    std::vector<std::pair<Pattern, NodeId>> patterns;
    NodeId additional = no_node;
    NodeId names = no_node;
    std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
    std::vector<std::pair<std::string, NodeId>> dependent_schemas;
};

/// Schemas that apply to the same value.
struct Applicators {
    NodeId reference = no_node;
    NodeId dynamic_reference = no_node;
    std::string dynamic_anchor;  ///< Empty when the dynamic reference behaves like a plain one.
    std::vector<NodeId> all_of;
    std::vector<NodeId> any_of;
    std::vector<NodeId> one_of;
    NodeId negated = no_node;
    NodeId condition = no_node;
    NodeId consequence = no_node;
    NodeId alternative = no_node;
};

struct Node {
    bool never = false;  ///< The schema `false`.
    std::uint8_t types = all_types;
    ResourceId resource = 0;
    std::optional<Json> constant;
    std::optional<std::vector<Json>> choices;  ///< Ascending.
    std::uint64_t constant_cost = 0;           ///< Steps to compare with constant and choices.
    std::unique_ptr<NumberRules> number;
    std::unique_ptr<StringRules> string;
    std::unique_ptr<ArrayRules> array;
    std::unique_ptr<ObjectRules> object;
    std::unique_ptr<Applicators> applicators;
    NodeId unevaluated_items = no_node;
    NodeId unevaluated_properties = no_node;
    std::string pointer;  ///< Where the schema stands in the document.
};

/// A part of the document with an address of its own.
struct Resource {
    std::string address;
    std::string pointer;
    bool legacy = false;  ///< Declares a draft before 2020-12.
    std::map<std::string, NodeId> anchors;
    std::map<std::string, NodeId> dynamic_anchors;
};

struct Program {
    Json document;
    SchemaLimits limits;
    std::vector<Node> nodes;  ///< The first is the whole document.
    std::vector<Resource> resources;
    bool has_dynamic_references = false;
};

}  // namespace creto::schema
