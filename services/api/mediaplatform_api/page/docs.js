// The OpenAPI document as a page to read: every operation, what it takes, what it answers.

const make = (name, text, ...children) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
};

const api = await (await fetch("/api/openapi.json")).json();
document.getElementById("about").textContent = api.info.description;

function type(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(type).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.type === "array") return `list of ${type(schema.items)}`;
  return schema.format ?? schema.type ?? "anything";
}

const rows = (fields) => make("ul", "", ...fields.map(([name, schema, note]) =>
  make("li", "", make("code", name), ` ${type(schema)}${note ? ` · ${note}` : ""}`)));

function model(name) {
  const { properties = {}, required = [] } = api.components.schemas[name];
  return rows(Object.entries(properties).map(([field, schema]) => {
    const note = [required.includes(field) ? "" : "optional", schema.description];
    return [field, schema, note.filter(Boolean).join(", ")];
  }));
}

function operation(method, path, { summary, description, parameters, requestBody, responses, security }) {
  const parts = [make("summary", "", make("code", `${method.toUpperCase()} ${path}`), ` ${summary}`)];
  if (description) parts.push(make("p", description));
  if (security) parts.push(make("p", security.length > 1 ? "Better signed in." : "Only signed in."));
  const asked = parameters.filter((parameter) => parameter.in !== "path");
  if (asked.length) {
    parts.push(make("h3", "Takes"), rows(asked.map(({ name, schema, description: note }) => [name, schema, note])));
  }
  const body = requestBody && type(Object.values(requestBody.content)[0].schema);
  if (body) parts.push(make("h3", body), model(body));
  for (const [status, { description: text, content }] of Object.entries(responses)) {
    const answer = content && type(Object.values(content)[0].schema);
    parts.push(make("h3", `${status} ${text}`));
    if (answer && answer !== "Problem") parts.push(model(answer));
  }
  return make("details", "", ...parts);
}

for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, described] of Object.entries(methods)) {
    document.getElementById("main").append(operation(method, path, described));
  }
}
