/** Every profile on its display. */
import { profiles, tellStory } from "../support/profile-story.js";

describe("the profiles", () => {
  for (const one of profiles) tellStory(one);
});
