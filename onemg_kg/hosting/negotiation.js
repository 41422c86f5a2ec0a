// From here on it is the same in every server that runs JavaScript; njs, nginx's own, has no iteration protocol.

// What an Accept header says: the weight in thousandths of each range, without and with parameters ("text/html", "text/html;").
function weights(accept) {
  const said = {};
  const member = new RegExp("^" + MEMBER + "$");
  (accept.match(new RegExp(ELEMENT, "g")) || []).forEach(function (element) {
    const parts = member.exec(element);
    if (parts === null) return;
    const key = parts[1].toLowerCase() + ((parts[2] + (parts[4] || "")).indexOf("=") < 0 ? "" : ";");
    if (said[key] === undefined) said[key] = Math.round(Number(parts[3] || 1) * 1000);
  });
  return said;
}

function weight(said, ranges) {
  for (let i = 0; i < ranges.length; i++) {
    if (said[ranges[i]] !== undefined) return said[ranges[i]];
    if (said[ranges[i] + ";"] !== undefined) return said[ranges[i] + ";"];
  }
  return 0;
}

// The representation that a client wants most (RFC 9110, section 12.5.1); null where it accepts none of them.
function choose(accept) {
  const said = weights(accept || "");
  if (Object.keys(said).length === 0) return REPRESENTATIONS[0];
  let best = null;
  let most = 0;
  REPRESENTATIONS.forEach(function (representation) {
    const its = weight(said, representation.ranges);
    if (its > most) {
      best = representation;
      most = its;
    }
  });
  return best;
}

// Of a path without its first slash: the path of its files without suffix, and whether it names a thing; null where it is a file's.
function route(path) {
  for (let i = 0; i < REPRESENTATIONS.length; i++) {
    if (path.endsWith(REPRESENTATIONS[i].suffix)) return null;
  }
  for (let i = 0; i < ROUTES.length; i++) {
    if (ROUTES[i].pattern.test(path)) return { files: path || "index", thing: ROUTES[i].thing };
  }
  return null;
}

// The body of a 406: what there is instead, one address a line.
function alternatives(files) {
  return REPRESENTATIONS.map(function (representation) {
    return representation.type + " /" + files + representation.suffix + "\n";
  }).join("");
}
