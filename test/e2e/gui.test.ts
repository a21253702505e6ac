/** The profile that a VM has where none is named, on its display. The other ones: npm run test:profiles. */
import assert from "node:assert/strict";
import { profiles, tellStory } from "../support/profile-story.js";

const gui = profiles.find(({ profile }) => profile === "gui");
assert.ok(gui);
tellStory(gui);
