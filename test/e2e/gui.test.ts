/** Of the profiles the one that a VM has unless it says otherwise; the others: npm run test:profiles. */
import { profiles, tellStory } from "../support/profile-story.js";

describe("the default profile", () => {
  for (const one of profiles) if (one.profile === "gui") tellStory(one);
});
