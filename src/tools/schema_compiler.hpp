// Compiler: reads a schema document into a Program. Used by schema_compile.cpp and schema_keywords.cpp
// only.
//
// Holds    First every schema is added where the vocabularies say that one stands, then the references
//          between them are resolved; a reference may lead to a place where no vocabulary says so.
// Errors   The first one sticks, and all later steps do nothing of consequence.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/schema_program.hpp"

namespace creto::schema {

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
    void refuse_limit(const std::string& what) {
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
    /// The resource that a schema belongs to: its own when it has an address.
    ResourceId identify(
        const JsonObject& members, const std::string& pointer, ResourceId outer, NodeId node
    );
    void read_dialect(const std::string& dialect, const std::string& pointer, ResourceId resource);
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

}  // namespace creto::schema
