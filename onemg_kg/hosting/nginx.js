
import fs from "fs";

// The address of a file: nginx has decoded the path, and encodeURI leaves what would end it.
function address(files) {
  return "/" + encodeURI(files).replace(/[?#]/g, encodeURIComponent);
}

function accepted(request) {
  return request.rawHeadersIn
    .filter(function (header) {
      return header[0].toLowerCase() === "accept";
    })
    .map(function (header) {
      return header[1];
    })
    .join(",");
}

function negotiate(request) {
  const found = route(request.uri.slice(1));
  try {
    if (found === null) throw new Error("a file that is not there");
    fs.accessSync(request.variables.document_root + "/" + found.files + REPRESENTATIONS[0].suffix);
  } catch (absent) {
    request.return(404);
    return;
  }
  const chosen = choose(accepted(request));
  request.variables.onemg_vary = "Accept";
  if (chosen === null) {
    request.headersOut["Content-Type"] = "text/plain; charset=utf-8";
    request.return(406, alternatives(address(found.files).slice(1)));
  } else if (found.thing) {
    request.return(303, address(found.files + chosen.suffix));
  } else {
    request.variables.onemg_content_location = address(found.files + chosen.suffix);
    request.internalRedirect("/" + found.files + chosen.suffix);
  }
}

export default { negotiate };
