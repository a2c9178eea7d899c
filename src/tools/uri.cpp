#include "tools/uri.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace creto::uri {

namespace {

struct Parts {
    std::string_view scheme;     ///< With ':'.
    std::string_view authority;  ///< With "//".
    std::string_view path;
    std::string_view query;  ///< With '?'.
};

bool is_scheme(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !text.empty() && letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
           });
}

Parts parse(std::string_view text) {
    Parts parts;
    const auto cut = [&text](std::size_t size) {
        const std::string_view front = text.substr(0, size);
        text.remove_prefix(front.size());
        return front;
    };
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && is_scheme(text.substr(0, colon))) {
        parts.scheme = cut(colon + 1);
    }
    if (text.starts_with("//"))
        parts.authority = cut(std::min(text.find_first_of("/?", 2), text.size()));
    parts.path = cut(std::min(text.find('?'), text.size()));
    parts.query = text;
    return parts;
}

/// Section 5.2.4: the path without its "." and ".." segments.
std::string remove_dots(std::string_view path) {
    std::string out;
    const auto drop_last = [&out] {
        const std::size_t slash = out.rfind('/');
        out.resize(slash == std::string::npos ? 0 : slash);
    };
    while (!path.empty()) {
        const bool rooted = path.front() == '/';
        const std::size_t end = std::min(path.find('/', rooted ? 1 : 0), path.size());
        const std::string_view segment = path.substr(rooted ? 1 : 0, end - (rooted ? 1 : 0));
        const bool last = end == path.size();
        path.remove_prefix(end);
        if (segment == "." || segment == "..") {
            if (segment == "..") drop_last();
            if (last && rooted) out.push_back('/');
            if (!rooted && !last) path.remove_prefix(1);
        } else {
            if (rooted) out.push_back('/');
            out.append(segment);
        }
    }
    return out;
}

/// Section 5.2.3.
std::string merged(const Parts& base, std::string_view path) {
    if (!base.authority.empty() && base.path.empty()) return "/" + std::string{path};
    const std::size_t slash = base.path.rfind('/');
    const std::size_t kept = slash == std::string_view::npos ? 0 : slash + 1;
    return std::string{base.path.substr(0, kept)}.append(path);
}

}  // namespace

Split split(std::string_view reference) {
    const std::size_t hash = reference.find('#');
    if (hash == std::string_view::npos) return {.address = reference, .fragment = {}};
    return {.address = reference.substr(0, hash), .fragment = reference.substr(hash + 1)};
}

std::string resolve(std::string_view base_text, std::string_view reference) {
    if (reference.empty()) return std::string{base_text};
    const Parts base = parse(base_text);
    const Parts ref = parse(reference);
    std::string out;
    const auto write = [&out](
                           std::string_view scheme,
                           std::string_view authority,
                           std::string_view path,
                           std::string_view query
                       ) { out.append(scheme).append(authority).append(path).append(query); };
    // A path without slashes behind a scheme, as in urn:, is opaque: dots in it mean nothing.
    const bool opaque = !ref.scheme.empty() && ref.authority.empty() && !ref.path.starts_with('/');
    if (opaque) {
        write(ref.scheme, {}, ref.path, ref.query);
    } else if (!ref.scheme.empty()) {
        write(ref.scheme, ref.authority, remove_dots(ref.path), ref.query);
    } else if (!ref.authority.empty()) {
        write(base.scheme, ref.authority, remove_dots(ref.path), ref.query);
    } else if (ref.path.empty()) {
        write(base.scheme, base.authority, base.path, ref.query.empty() ? base.query : ref.query);
    } else if (ref.path.starts_with('/')) {
        write(base.scheme, base.authority, remove_dots(ref.path), ref.query);
    } else {
        write(base.scheme, base.authority, remove_dots(merged(base, ref.path)), ref.query);
    }
    return out;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const auto byte = text.size() - i > 2 ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
        if (!byte) return std::nullopt;
        out.push_back(static_cast<char>(byte->front()));
        i += 2;
    }
    return out;
}

}  // namespace creto::uri
