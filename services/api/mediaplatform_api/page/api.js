// The API as the page calls it: JSON in and out, problems as errors, the access token renewed once.

const ATTEMPTS = 3; // after being told to slow down, as a large folder will be
const PATIENCE_SECONDS = 60;

let token = null;
let renewing = null;

/** A problem (RFC 9457) as the API tells it; its message is for people. */
export class Problem extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The server answered ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

export async function call(method, path, { body, headers = {}, signal } = {}) {
  let response = await send(method, path, body, headers, signal);
  if (response.status === 401 && token && (await renew())) {
    response = await send(method, path, body, headers, signal);
  }
  for (let attempt = 0; response.status === 429 && attempt < ATTEMPTS; attempt += 1) {
    const seconds = Number(response.headers.get("retry-after"));
    if (seconds > PATIENCE_SECONDS) break;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    response = await send(method, path, body, headers, signal);
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

function send(method, path, body, headers, signal) {
  const all = { ...headers };
  if (token) all.authorization = `Bearer ${token}`;
  if (body !== undefined) all["content-type"] = "application/json";
  return fetch(`/api/${path}`, {
    method, signal, headers: all, body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-cache", // what was just published must show; an unchanged page costs a 304
  });
}

async function signedIn(path, body) {
  const answer = await call("POST", path, { body });
  token = answer.accessToken;
  return answer.user;
}

export const register = (name, email, password) =>
  signedIn("auth/register", { name, email, password });

export const signIn = (email, password) => signedIn("auth/login", { email, password });

/** The user whom the refresh cookie still knows, or null. Many who ask at once share one answer. */
export function renew() {
  renewing ??= refresh().finally(() => { renewing = null; });
  return renewing;
}

async function refresh() {
  token = null;
  const response = await send("POST", "auth/refresh", undefined, {});
  if (!response.ok) return null;
  const answer = await response.json();
  token = answer.accessToken;
  return answer.user;
}

export async function signOut() {
  await call("POST", "auth/logout");
  token = null;
}
