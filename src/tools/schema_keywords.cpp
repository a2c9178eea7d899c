// What each keyword of the vocabularies means to the compiler.
#include <algorithm>

#include "tools/schema_compiler.hpp"

namespace creto::schema {

namespace {

/// The rules for one kind of value, made when the first of them is met.
template <class Rules>
Rules& needed(std::unique_ptr<Rules>& rules) {
    if (!rules) rules = std::make_unique<Rules>();
    return *rules;
}

}  // namespace

// Recursion is bounded by the depth of the document. NOLINTBEGIN(misc-no-recursion)

void Compiler::read(const Place& place, Node& node, NodeId id) {
    declare_anchor(place, "$anchor", id);
    declare_anchor(place, "$dynamicAnchor", id);
    read_types(place, node);
    read_values(place, node);
    read_number(place, node);
    read_string(place, node);
    read_array(place, node);
    read_object(place, node);
    read_applicators(place, node, id);
    node.unevaluated_items = schema(place, "unevaluatedItems");
    node.unevaluated_properties = schema(place, "unevaluatedProperties");
    read_definitions(place);
}

void Compiler::read_types(const Place& place, Node& node) {
    const Json* type = place.members.find("type");
    if (!type) return;
    const JsonArray single{*type};
    node.types = 0;
    for (const Json& item : type->array() ? *type->array() : single) {
        const std::string* name = item.string();
        std::uint8_t bit = 0;
        for (std::size_t kind = 0; name && kind < 6; ++kind) {
            if (*name == to_string(static_cast<Json::Kind>(kind))) {
                bit = static_cast<std::uint8_t>(1U << kind);
            }
        }
        if (name && *name == "integer") bit = integer_type;
        if (bit == 0) refuse(place.pointer, "type", "unknown type");
        node.types |= bit;
    }
    if (node.types == 0) refuse(place.pointer, "type", "expected at least one type");
}

void Compiler::read_values(const Place& place, Node& node) {
    if (const Json* constant = place.members.find("const")) {
        node.constant = *constant;
        node.constant_cost += weight(*constant);
    }
    const Json* choices = place.members.find("enum");
    if (!choices) return;
    if (!choices->array()) return refuse(place.pointer, "enum", "expected an array");
    node.choices = *choices->array();
    std::sort(node.choices->begin(), node.choices->end());
    std::size_t heaviest = 0;
    for (const Json& choice : *node.choices)
        heaviest = std::max(heaviest, weight(choice));
    std::size_t comparisons = 1;
    for (std::size_t n = node.choices->size(); n > 0; n /= 2)
        ++comparisons;
    node.constant_cost += heaviest * comparisons;
}

void Compiler::read_number(const Place& place, Node& node) {
    const auto read_bound = [&](std::string_view keyword,
                                std::optional<Decimal> NumberRules::*rule) {
        if (auto bound = number(place, keyword)) needed(node.number).*rule = std::move(*bound);
    };
    read_bound("minimum", &NumberRules::minimum);
    read_bound("maximum", &NumberRules::maximum);
    read_bound("exclusiveMinimum", &NumberRules::exclusive_minimum);
    read_bound("exclusiveMaximum", &NumberRules::exclusive_maximum);
    read_bound("multipleOf", &NumberRules::multiple_of);
    if (!node.number || !node.number->multiple_of) return;
    if (node.number->multiple_of->is_zero() || node.number->multiple_of->is_negative()) {
        refuse(place.pointer, "multipleOf", "expected a number above 0");
    }
}

void Compiler::read_string(const Place& place, Node& node) {
    if (const auto least = count(place, "minLength")) needed(node.string).length_min = *least;
    if (const auto most = count(place, "maxLength")) needed(node.string).length_max = *most;
    if (const std::string* expression = text(place, "pattern")) {
        needed(node.string).pattern = pattern(place, "pattern", *expression);
    }
}

void Compiler::read_array(const Place& place, Node& node) {
    if (const auto least = count(place, "minItems")) needed(node.array).items_min = *least;
    if (const auto most = count(place, "maxItems")) needed(node.array).items_max = *most;
    if (const Json* unique = place.members.find("uniqueItems")) {
        if (!unique->boolean()) return refuse(place.pointer, "uniqueItems", "expected a boolean");
        if (*unique->boolean()) needed(node.array).unique = true;
    }
    const Json* items = place.members.find("items");
    if (place.legacy && items && items->array()) {
        needed(node.array).prefix = schema_list(place, "items");
        needed(node.array).items = schema(place, "additionalItems");
    } else {
        if (auto prefix = schema_list(place, "prefixItems"); !prefix.empty()) {
            needed(node.array).prefix = std::move(prefix);
        }
        if (items) needed(node.array).items = schema(place, "items");
    }
    const auto least = count(place, "minContains");
    const auto most = count(place, "maxContains");
    if (const NodeId contains = schema(place, "contains"); contains != no_node) {
        ArrayRules& rules = needed(node.array);
        rules.contains = contains;
        rules.contains_min = least.value_or(1);
        rules.contains_max = most.value_or(no_bound);
    }
}

void Compiler::read_object(const Place& place, Node& node) {
    ObjectRules rules;
    bool any = false;
    const auto has = [&](std::string_view keyword) {
        const bool found = place.members.find(keyword) != nullptr;
        any = any || found;
        return found;
    };
    if (has("minProperties")) rules.members_min = count(place, "minProperties").value_or(0);
    if (has("maxProperties")) rules.members_max = count(place, "maxProperties").value_or(0);
    if (has("properties") || has("required")) read_properties(place, rules);
    if (has("patternProperties")) {
        if (const JsonObject* patterns = map(place, "patternProperties")) {
            for (const auto& [expression, child] : *patterns) {
                auto compiled = pattern(place, "patternProperties", expression);
                const NodeId id = add_child(place, "patternProperties", expression, child);
                if (compiled) rules.patterns.emplace_back(std::move(*compiled), id);
            }
        }
    }
    if (has("additionalProperties")) rules.additional = schema(place, "additionalProperties");
    if (has("propertyNames")) rules.names = schema(place, "propertyNames");
    if (has("dependentRequired") || has("dependentSchemas") || has("dependencies")) {
        read_dependencies(place, rules);
    }
    if (any) node.object = std::make_unique<ObjectRules>(std::move(rules));
}

void Compiler::read_properties(const Place& place, ObjectRules& rules) {
    std::map<std::string, Property> properties;
    if (const JsonObject* listed = map(place, "properties")) {
        for (const auto& [name, child] : *listed)
            properties[name].node = add_child(place, "properties", name, child);
    }
    if (const Json* required = place.members.find("required")) {
        for (std::string& name : names(place, "required", *required))
            properties[std::move(name)].required = true;
    }
    for (auto& [name, property] : properties) {
        property.name = name;
        rules.properties_cost += 1 + name.size() / 64;
        rules.properties.push_back(std::move(property));
    }
    rules.properties_cost /= 4;
}

void Compiler::read_dependencies(const Place& place, ObjectRules& rules) {
    if (const JsonObject* required = map(place, "dependentRequired")) {
        for (const auto& [name, list] : *required)
            rules.dependent_required.emplace_back(name, names(place, "dependentRequired", list));
    }
    if (const JsonObject* schemas = map(place, "dependentSchemas")) {
        for (const auto& [name, child] : *schemas) {
            const NodeId node = add_child(place, "dependentSchemas", name, child);
            rules.dependent_schemas.emplace_back(name, node);
        }
    }
    // The older keyword for both, which 2020-12 still allows.
    if (const JsonObject* both = map(place, "dependencies")) {
        for (const auto& [name, child] : *both) {
            if (child.array()) {
                rules.dependent_required.emplace_back(name, names(place, "dependencies", child));
            } else {
                rules.dependent_schemas.emplace_back(
                    name, add_child(place, "dependencies", name, child)
                );
            }
        }
    }
}

void Compiler::read_applicators(const Place& place, Node& node, NodeId id) {
    for (const std::string_view keyword : {"$ref", "$dynamicRef"}) {
        const std::string* target = text(place, keyword);
        if (!target) continue;
        needed(node.applicators);
        references_.push_back({.from = id, .text = *target, .dynamic = keyword == "$dynamicRef"});
    }
    const auto read_list = [&](std::string_view keyword, std::vector<NodeId> Applicators::*list) {
        if (place.members.find(keyword))
            needed(node.applicators).*list = schema_list(place, keyword);
    };
    read_list("allOf", &Applicators::all_of);
    read_list("anyOf", &Applicators::any_of);
    read_list("oneOf", &Applicators::one_of);
    const auto read_one = [&](std::string_view keyword, NodeId Applicators::*child) {
        if (place.members.find(keyword)) needed(node.applicators).*child = schema(place, keyword);
    };
    read_one("not", &Applicators::negated);
    read_one("if", &Applicators::condition);
    read_one("then", &Applicators::consequence);
    read_one("else", &Applicators::alternative);
}

/// Schemas that only wait for a reference.
void Compiler::read_definitions(const Place& place) {
    for (const std::string_view keyword : {"$defs", "definitions"}) {
        if (const JsonObject* definitions = map(place, keyword)) {
            for (const auto& [name, child] : *definitions)
                add_child(place, keyword, name, child);
        }
    }
    schema(place, "contentSchema");
}

NodeId Compiler::schema(const Place& place, std::string_view keyword) {
    const Json* child = place.members.find(keyword);
    return child ? add_child(place, keyword, *child) : no_node;
}

std::vector<NodeId> Compiler::schema_list(const Place& place, std::string_view keyword) {
    const Json* list = place.members.find(keyword);
    if (!list) return {};
    if (!list->array() || list->array()->empty()) {
        refuse(place.pointer, keyword, "expected a list of schemas");
        return {};
    }
    std::vector<NodeId> nodes;
    for (std::size_t i = 0; i < list->array()->size(); ++i)
        nodes.push_back(add_child(place, keyword, std::to_string(i), (*list->array())[i]));
    return nodes;
}

// NOLINTEND(misc-no-recursion)

std::optional<std::uint64_t> Compiler::count(const Place& place, std::string_view keyword) {
    const Json* value = place.members.find(keyword);
    if (!value) return std::nullopt;
    const auto integer = value->number() ? value->number()->to_int64() : std::nullopt;
    if (!integer || *integer < 0) {
        refuse(place.pointer, keyword, "expected a count");
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(*integer);
}

std::optional<Decimal> Compiler::number(const Place& place, std::string_view keyword) {
    const Json* value = place.members.find(keyword);
    if (!value) return std::nullopt;
    if (!value->number()) {
        refuse(place.pointer, keyword, "expected a number");
        return std::nullopt;
    }
    return *value->number();
}

std::optional<Pattern> Compiler::pattern(
    const Place& place, std::string_view keyword, std::string_view expression
) {
    auto compiled = Pattern::compile(expression);
    if (!compiled) {
        refuse(place.pointer, keyword, compiled.error().message);
        if (compiled.error().code == ErrorCode::limit && error_) error_->code = ErrorCode::limit;
        return std::nullopt;
    }
    pattern_instructions_ += compiled->instruction_count();
    if (pattern_instructions_ > program_->limits.pattern_instructions_max) {
        refuse_limit(
            "more than " + std::to_string(program_->limits.pattern_instructions_max) +
            " instructions in patterns"
        );
        return std::nullopt;
    }
    return std::move(*compiled);
}

std::vector<std::string> Compiler::names(
    const Place& place, std::string_view keyword, const Json& list
) {
    std::vector<std::string> names;
    if (!list.array()) refuse(place.pointer, keyword, "expected a list of names");
    for (const Json& item : list.array() ? *list.array() : JsonArray{}) {
        if (item.string()) {
            names.push_back(*item.string());
        } else {
            refuse(place.pointer, keyword, "expected a list of names");
        }
    }
    return names;
}

const JsonObject* Compiler::map(const Place& place, std::string_view keyword) {
    const Json* value = place.members.find(keyword);
    if (value && !value->object()) refuse(place.pointer, keyword, "expected an object");
    return value ? value->object() : nullptr;
}

const std::string* Compiler::text(const Place& place, std::string_view keyword) {
    const Json* value = place.members.find(keyword);
    if (value && !value->string()) refuse(place.pointer, keyword, "expected a string");
    return value ? value->string() : nullptr;
}

}  // namespace creto::schema
