// Page: results as one HTML file that opens anywhere, offline.
//
// Why      A result is read by people who have no tools here: in a mail, on a phone, years later.
// Holds    A pure function of the document: everything on the page is in it. Nothing is fetched; a
//          content security policy in the page forbids it to the browser as well.
//          What a result says stays text, whatever characters it holds.
// Format   The document stands in the page as JSON (page.js draws it, page.css dresses it), so that
//          the page is also the file to give to a machine.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"

namespace creto {

/// `doc` is one result, or several under `runs`.
[[nodiscard]] std::string report_page(const nlohmann::ordered_json& doc);

/// Writes it. Errors: io, with the file.
[[nodiscard]] Result<void> write_report_page(
    const nlohmann::ordered_json& doc, const std::string& file
);

}  // namespace creto
