// Standard Webhooks 1.0.0, read from its text and written with Node's own crypto alone: which of
// the messages on standard input are signed by their secret?
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

const isSigned = ({ secret, id, timestamp, signature, body }) => {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const due = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8").digest();
  return signature.split(" ").some((each) => {
    const given = Buffer.from(each.slice("v1,".length), "base64");
    return each.startsWith("v1,") && given.length === due.length && timingSafeEqual(given, due);
  });
};

const messages = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(messages.map(isSigned)));
