// Reads a schema document into a Program: first every schema where the vocabularies say that one
// stands, then the references between them.
#include <algorithm>
#include <array>
#include <functional>

#include "base/assert.hpp"
#include "tools/schema_program.hpp"
#include "tools/uri.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace schema {
namespace {

constexpr std::string_view current_dialect = "https://json-schema.org/draft/2020-12/schema";
constexpr std::array<std::string_view, 3> legacy_dialects{
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema"};

class Compiler {
public:
    Compiler(Json document, const SchemaLimits& limits) : program_{std::make_shared<Program>()} {
        program_->document = std::move(document);
        program_->limits = limits;
    }

    Result<std::shared_ptr<const Program>> run() {
        program_->resources.emplace_back();
        add(program_->document, "", 0);
        for (std::size_t i = 0; i < references_.size() && !error_; ++i)
            resolve(references_[i]);
        if (error_) return tl::unexpected<Error>(std::move(*error_));
        return std::move(program_);
    }

private:
    struct Reference {
        NodeId from = no_node;
        std::string text;
        bool dynamic = false;
    };
    /// One schema object while it is read.
    struct Place {
        const JsonObject& members;
        const std::string& pointer;
        ResourceId resource = 0;
        bool legacy = false;
    };

    void refuse(const std::string& pointer, std::string_view keyword, std::string_view what);
    void refuse_limit(std::string what) {
        if (!error_) error_ = Error{.code = ErrorCode::limit, .message = "schema: " + what};
    }
    /// Counts text that is kept for a location.
    bool charge(std::size_t bytes);

    // First pass.
    NodeId add(const Json& schema, std::string pointer, ResourceId resource);
    NodeId add_child(const Place& place, std::string_view keyword, const Json& schema);
    NodeId add_child(
        const Place& place, std::string_view keyword, std::string_view key, const Json& schema
    );
    ResourceId identify(
        const JsonObject& members, const std::string& pointer, ResourceId outer, NodeId node
    );
    void declare_anchor(const Place& place, std::string_view keyword, NodeId node);
    void read(const Place& place, Node& node, NodeId id);
    void read_types(const Place& place, Node& node);
    void read_values(const Place& place, Node& node);
    void read_number(const Place& place, Node& node);
    void read_string(const Place& place, Node& node);
    void read_array(const Place& place, Node& node);
    void read_object(const Place& place, Node& node);
    void read_properties(const Place& place, ObjectRules& rules);
    void read_dependencies(const Place& place, ObjectRules& rules);
    void read_applicators(const Place& place, Node& node, NodeId id);
    void read_definitions(const Place& place);

    // Keywords of one shape.
    std::optional<std::uint64_t> count(const Place& place, std::string_view keyword);
    std::optional<Decimal> number(const Place& place, std::string_view keyword);
    std::optional<Pattern> pattern(
        const Place& place, std::string_view keyword, std::string_view text
    );
    std::vector<std::string> names(const Place& place, std::string_view keyword, const Json& list);
    NodeId schema(const Place& place, std::string_view keyword);
    std::vector<NodeId> schema_list(const Place& place, std::string_view keyword);
    /// The object that maps keys to something; null when the keyword is absent.
    const JsonObject* map(const Place& place, std::string_view keyword);
    const std::string* text(const Place& place, std::string_view keyword);

    // Second pass.
    void resolve(const Reference& reference);
    NodeId locate(ResourceId resource, const std::string& fragment);
    NodeId locate_pointer(const std::string& pointer);

    std::shared_ptr<Program> program_;
    std::map<std::string, NodeId> by_pointer_;
    std::map<std::string, ResourceId> by_address_;
    std::vector<Reference> references_;
    std::size_t location_bytes_ = 0;
    std::size_t pattern_instructions_ = 0;
    std::optional<Error> error_;
};

/// The rules for one kind of value, made when the first of them is met.
template <class Rules>
Rules& needed(std::unique_ptr<Rules>& rules) {
    if (!rules) rules = std::make_unique<Rules>();
    return *rules;
}

void Compiler::refuse(const std::string& pointer, std::string_view keyword, std::string_view what) {
    if (error_) return;
    std::string message = "schema: " + pointer;
    if (!keyword.empty()) message.append("/").append(pointer_token(keyword));
    message.append(message.back() == ' ' ? "" : ": ").append(what);
    constexpr std::size_t message_bytes_max = 512;
    error_ =
        Error{.code = ErrorCode::invalid, .message = utf8::clipped(message, message_bytes_max)};
}

bool Compiler::charge(std::size_t bytes) {
    location_bytes_ += bytes;
    if (location_bytes_ <= program_->limits.location_bytes_max) return true;
    refuse_limit(
        "more than " + std::to_string(program_->limits.location_bytes_max) + " bytes of locations"
    );
    return false;
}

// Recursion is bounded by the depth of the document. NOLINTBEGIN(misc-no-recursion)

NodeId Compiler::add(const Json& schema, std::string pointer, ResourceId resource) {
    if (error_) return no_node;
    if (const auto it = by_pointer_.find(pointer); it != by_pointer_.end()) return it->second;
    if (program_->nodes.size() >= program_->limits.nodes_max) {
        refuse_limit("more than " + std::to_string(program_->limits.nodes_max) + " schemas");
        return no_node;
    }
    if (!charge(2 * pointer.size())) return no_node;
    const auto id = static_cast<NodeId>(program_->nodes.size());
    program_->nodes.emplace_back();
    by_pointer_.emplace(pointer, id);
    Node node;
    node.resource = resource;
    if (const bool* literal = schema.boolean()) {
        node.never = !*literal;
    } else if (const JsonObject* members = schema.object()) {
        node.resource = identify(*members, pointer, resource, id);
        const Place place{
            .members = *members,
            .pointer = pointer,
            .resource = node.resource,
            .legacy = program_->resources[node.resource].legacy};
        read(place, node, id);
    } else {
        refuse(pointer, "", "a schema is an object or a boolean");
    }
    node.pointer = std::move(pointer);
    program_->nodes[id] = std::move(node);
    return id;
}

NodeId Compiler::add_child(const Place& place, std::string_view keyword, const Json& schema) {
    return add(schema, place.pointer + "/" + std::string{keyword}, place.resource);
}

NodeId Compiler::add_child(
    const Place& place, std::string_view keyword, std::string_view key, const Json& schema
) {
    return add(
        schema,
        place.pointer + "/" + std::string{keyword} + "/" + pointer_token(key),
        place.resource
    );
}

ResourceId Compiler::identify(
    const JsonObject& members, const std::string& pointer, ResourceId outer, NodeId node
) {
    const bool is_root = node == 0;
    const Json* id = members.find("$id");
    const Json* dialect = members.find("$schema");
    if (id && !id->string()) refuse(pointer, "$id", "expected a string");
    if (dialect && !dialect->string()) refuse(pointer, "$schema", "expected a string");
    if (error_) return outer;
    const auto [address, fragment] = uri::split(id ? *id->string() : std::string_view{});
    const bool names_resource = id && !(address.empty() && !fragment.empty());
    ResourceId resource = outer;
    if (names_resource || is_root) {
        std::string full = uri::resolve(program_->resources[outer].address, address);
        const bool legacy = program_->resources[outer].legacy;
        if (!is_root) {
            resource = static_cast<ResourceId>(program_->resources.size());
            program_->resources.emplace_back();
        }
        if (!charge(2 * full.size() + pointer.size())) return outer;
        if (!by_address_.emplace(full, resource).second) {
            refuse(pointer, "$id", "two schemas have the address \"" + full + "\"");
        }
        program_->resources[resource].address = std::move(full);
        program_->resources[resource].pointer = pointer;
        program_->resources[resource].legacy = legacy;
        program_->resources[resource].anchors.emplace("", node);
    }
    if (dialect) {
        const std::string_view name = uri::split(*dialect->string()).address;
        const bool legacy = std::find(legacy_dialects.begin(), legacy_dialects.end(), name) !=
                            legacy_dialects.end();
        if (!legacy && name != current_dialect) {
            refuse(
                pointer,
                "$schema",
                "the dialect \"" + *dialect->string() +
                    "\" is not supported; JSON Schema 2020-12 is"
            );
        }
        program_->resources[resource].legacy = legacy;
    }
    if (!fragment.empty()) {
        // Before 2019-09 a bare fragment was how an anchor was written.
        if (!program_->resources[resource].legacy || names_resource) {
            refuse(pointer, "$id", "an address has no fragment");
        } else {
            program_->resources[resource].anchors.emplace(std::string{fragment}, node);
        }
    }
    return resource;
}

void Compiler::declare_anchor(const Place& place, std::string_view keyword, NodeId node) {
    const std::string* name = text(place, keyword);
    if (!name || !charge(name->size())) return;
    const auto starts = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    const bool well_formed = !name->empty() && starts(name->front()) &&
                             std::all_of(name->begin(), name->end(), [&](char c) {
                                 return starts(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
                             });
    if (!well_formed) refuse(place.pointer, keyword, "not an anchor's name");
    Resource& resource = program_->resources[place.resource];
    const auto [it, is_new] = resource.anchors.emplace(*name, node);
    // One schema may carry both kinds of anchor under one name.
    if (!is_new && it->second != node) {
        refuse(place.pointer, keyword, "the anchor \"" + *name + "\" exists already");
    }
    if (keyword == "$dynamicAnchor") resource.dynamic_anchors.emplace(*name, node);
}

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
    if (has("properties") | has("required")) read_properties(place, rules);
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
    if (has("dependentRequired") | has("dependentSchemas") | has("dependencies")) {
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
        for (const auto& [name, child] : *schemas)
            rules.dependent_schemas.emplace_back(
                name, add_child(place, "dependentSchemas", name, child)
            );
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

void Compiler::resolve(const Reference& reference_in) {
    const Reference reference = reference_in;  // The list grows while schemas are added.
    const std::string pointer = program_->nodes[reference.from].pointer;
    const std::string_view keyword = reference.dynamic ? "$dynamicRef" : "$ref";
    const ResourceId base = program_->nodes[reference.from].resource;
    const auto [address_text, fragment_text] = uri::split(reference.text);
    const std::string address = uri::resolve(program_->resources[base].address, address_text);
    const auto it = by_address_.find(address);
    if (it == by_address_.end()) {
        return refuse(
            pointer,
            keyword,
            "\"" + reference.text + "\" is not inside this document, and nothing is fetched"
        );
    }
    const auto fragment = uri::percent_decoded(fragment_text);
    const NodeId target = fragment ? locate(it->second, *fragment) : no_node;
    if (target == no_node) {
        return refuse(pointer, keyword, "\"" + reference.text + "\" leads nowhere");
    }
    Applicators& applicators = *program_->nodes[reference.from].applicators;
    if (!reference.dynamic) {
        applicators.reference = target;
        return;
    }
    applicators.dynamic_reference = target;
    const Resource& resource = program_->resources[program_->nodes[target].resource];
    if (resource.dynamic_anchors.contains(*fragment)) {
        applicators.dynamic_anchor = *fragment;
        program_->has_dynamic_references = true;
    }
}

NodeId Compiler::locate(ResourceId resource, const std::string& fragment) {
    const Resource& target = program_->resources[resource];
    if (fragment.starts_with('/')) return locate_pointer(target.pointer + fragment);
    const auto it = target.anchors.find(fragment);
    return it == target.anchors.end() ? no_node : it->second;
}

/// The schema at a place in the document, also where no vocabulary says that one stands.
NodeId Compiler::locate_pointer(const std::string& pointer) {
    if (const auto it = by_pointer_.find(pointer); it != by_pointer_.end()) return it->second;
    const Json* value = program_->document.at_pointer(pointer);
    if (!value) return no_node;
    // It belongs to the resource of the innermost known schema around it.
    std::string_view outer = pointer;
    auto around = by_pointer_.end();
    while (around == by_pointer_.end()) {
        CRETO_ASSERT(!outer.empty());
        outer = outer.substr(0, outer.rfind('/'));
        around = by_pointer_.find(std::string{outer});
    }
    return add(*value, pointer, program_->nodes[around->second].resource);
}

}  // namespace
}  // namespace schema

Result<Schema> Schema::compile(Json document, const SchemaLimits& limits) {
    auto program = schema::Compiler{std::move(document), limits}.run();
    if (!program) return tl::unexpected<Error>(std::move(program.error()));
    return Schema{std::move(*program)};
}

const Json& Schema::document() const {
    return program_->document;
}

}  // namespace creto
