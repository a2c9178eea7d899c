#include "scale/report/page.hpp"

#include <fstream>

#include "scale/report/page_files.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

/// JSON inside a script element: no "<" stands in it, hence no end of the element.
std::string as_script_data(const Doc& doc) {
    const std::string text = doc.dump(-1, ' ', false, Doc::error_handler_t::replace);
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (c == '<') {
            out += "\\u003c";
        } else {
            out += c;
        }
    }
    return out;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string title_of(const Doc& doc) {
    const Doc& run = doc.contains("runs") && !doc["runs"].empty() ? doc["runs"][0] : doc;
    return doc.value("status", "") + ": " + run.value("title", "Creto report");
}

}  // namespace

std::string report_page(const Doc& doc) {
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n<title>";
    out += escaped(title_of(doc));
    out += "</title>\n<style>\n";
    out += embedded::page_css();
    out +=
        "</style>\n</head>\n<body>\n<main id=\"report\"><p>This report draws itself with the "
        "script in this file; the figures stand below as JSON.</p></main>\n"
        "<svg id=\"svg-namespace\" hidden=\"\"></svg>\n"
        "<script type=\"application/json\" id=\"result\">";
    out += as_script_data(doc);
    out += "</script>\n";
    for (const std::string_view script : {embedded::charts_js(), embedded::page_js()}) {
        out += "<script>\n";
        out += script;
        out += "</script>\n";
    }
    out += "</body>\n</html>\n";
    return out;
}

Result<void> write_report_page(const Doc& doc, const std::string& file) {
    std::ofstream out{file, std::ios::binary | std::ios::trunc};
    out << report_page(doc);
    out.close();
    if (!out) return fail(ErrorCode::io, "cannot write the report to " + file);
    return {};
}

}  // namespace creto
