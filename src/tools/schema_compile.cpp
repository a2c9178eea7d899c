// The shape of a document: which schemas it holds, what they are called, where references lead.
#include <algorithm>
#include <array>

#include "base/assert.hpp"
#include "tools/schema_compiler.hpp"
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

}  // namespace

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
    if (dialect) read_dialect(*dialect->string(), pointer, resource);
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

void Compiler::read_dialect(
    const std::string& dialect, const std::string& pointer, ResourceId resource
) {
    const std::string_view name = uri::split(dialect).address;
    const bool legacy =
        std::find(legacy_dialects.begin(), legacy_dialects.end(), name) != legacy_dialects.end();
    if (!legacy && name != current_dialect) {
        refuse(
            pointer,
            "$schema",
            "the dialect \"" + dialect + "\" is not supported; JSON Schema 2020-12 is"
        );
    }
    program_->resources[resource].legacy = legacy;
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

// NOLINTEND(misc-no-recursion)

void Compiler::resolve(const Reference& reference_in) {
    const Reference reference = reference_in;  // The list grows while schemas are added.
    const std::string pointer = program_->nodes[reference.from].pointer;
    const std::string_view keyword = reference.dynamic ? "$dynamicRef" : "$ref";
    const ResourceId base = program_->nodes[reference.from].resource;
    const auto [address_text, fragment_text] = uri::split(reference.text);
    const std::string address = uri::resolve(program_->resources[base].address, address_text);
    if (!charge(address.size())) return;
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
    const Json* value = charge(pointer.size()) ? program_->document.at_pointer(pointer) : nullptr;
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
