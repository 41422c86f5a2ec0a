
// Answers a request; `file(request)` gives the file of the site at the request's address.
async function respond(request, file) {
  const url = new URL(request.url);
  const path = url.pathname.slice(1);
  const get = (files, method) => {
    const target = new URL(url); // its path is set, not resolved: "//host/x" would be another host
    target.pathname = "/" + files;
    target.search = "";
    return file(new Request(target, { method: method, headers: request.headers }));
  };
  const found = route(path);
  if (found === null || (await get(found.files + REPRESENTATIONS[0].suffix, "HEAD")).status === 404) {
    const name = path.endsWith("/") ? path + "index.html" : path;
    return complete(await get(name, request.method), name, {});
  }
  const chosen = choose(request.headers.get("accept"));
  if (chosen === null) {
    const headers = { "Content-Type": "text/plain; charset=utf-8", Vary: "Accept" };
    return complete(new Response(alternatives(found.files), { status: 406 }), "", headers);
  }
  const name = found.files + chosen.suffix;
  if (found.thing) return complete(new Response(null, { status: 303 }), "", { Location: "/" + name, Vary: "Accept" });
  return complete(await get(name, request.method), name, { "Content-Location": "/" + name, Vary: "Accept" });
}

// The response with the headers of the site: hosts know few of its media types.
function complete(response, name, headers) {
  const answer = new Response(response.body, response);
  const type = TYPES[name] || TYPES[name.slice(name.lastIndexOf("."))];
  if (response.ok && type) answer.headers.set("Content-Type", type);
  answer.headers.set("Access-Control-Allow-Origin", "*");
  Object.keys(headers).forEach((header) => answer.headers.set(header, headers[header]));
  return answer;
}
