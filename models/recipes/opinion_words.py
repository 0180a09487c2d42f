"""Words for opinions.py, by what they say. `[a|b]` is a choice."""


def words(text: str) -> list[str]:
    return [w.strip() for w in text.replace("\n", " ").split(",") if w.strip()]


GOOD_ADJECTIVES = words("""good, great, excellent, wonderful, amazing, fantastic, superb, brilliant, awesome, lovely, beautiful,
perfect, outstanding, marvellous, marvelous, terrific, fabulous, incredible, delightful, charming, pleasant, nice, fine,
enjoyable, impressive, remarkable, stunning, gorgeous, splendid, magnificent, exceptional, phenomenal, spectacular, sweet,
cool, fun, funny, hilarious, witty, clever, smart, intelligent, thoughtful, touching, moving, heartwarming, inspiring,
uplifting, exciting, thrilling, gripping, fascinating, interesting, engaging, entertaining, captivating, refreshing,
relaxing, comfortable, cosy, cozy, warm, friendly, helpful, kind, polite, attentive, caring, generous, patient, professional,
courteous, welcoming, honest, reliable, trustworthy, efficient, quick, fast, prompt, punctual, responsive, smooth, easy,
simple, intuitive, useful, handy, practical, convenient, affordable, cheap, reasonable, fair, sturdy, solid, durable,
well made, well written, well organised, well designed, clean, spotless, tidy, fresh, tasty, delicious, yummy, juicy, crispy,
flavourful, flavorful, mouthwatering, creamy, healthy, bright, sunny, peaceful, quiet, calm, safe, spacious, modern, stylish,
elegant, pretty, cute, adorable, magical, memorable, unforgettable, special, unique, original, creative, imaginative,
rewarding, satisfying, successful, valuable, precious, flawless, top, first class, world class, superior, accurate, clear,
crisp, vivid, colourful, joyful, joyous, cheerful, lively, energetic, positive, hopeful, promising, talented, skilled,
gifted, admirable, noble, brave, gentle, loving, worthwhile, divine, heavenly, blissful, epic, breathtaking, dazzling,
masterful, powerful, strong, rich, soft, sensational, stellar, super, ideal, effective, seamless, hassle free, lightweight,
accommodating, knowledgeable, supportive, considerate, respectful, sincere, graceful, romantic, glorious, priceless, addictive,
amusing, decent, satisfactory, top notch, on point, worth it, a joy, a delight, a pleasure, a treat, a gem, a masterpiece,
a hit, a success, a dream, a bargain, a blast, a winner, a triumph, the best, second to none, out of this world""")

BAD_ADJECTIVES = words("""bad, terrible, awful, horrible, dreadful, poor, disappointing, disgusting, nasty, ugly, boring, dull, tedious,
dreary, lame, weak, lousy, mediocre, unpleasant, annoying, irritating, frustrating, infuriating, upsetting, depressing, sad,
miserable, gloomy, pathetic, pitiful, ridiculous, stupid, silly, dumb, idiotic, pointless, useless, worthless, hopeless,
unhelpful, rude, impolite, unfriendly, arrogant, careless, lazy, incompetent, unprofessional, dishonest, unreliable,
untrustworthy, ignorant, hostile, aggressive, mean, cruel, selfish, nasty, cold, slow, sluggish, late, delayed, overpriced,
expensive, unfair, misleading, fake, false, broken, faulty, defective, damaged, cracked, torn, flimsy, fragile, cheaply made,
badly made, poorly made, poorly written, badly designed, poorly organised, buggy, glitchy, laggy, unstable, confusing,
complicated, clumsy, awkward, difficult, unusable, inconvenient, impractical, dirty, filthy, grimy, messy, smelly, stinky,
dusty, mouldy, moldy, stale, rotten, soggy, bland, tasteless, flavourless, salty, greasy, oily, burnt, undercooked,
overcooked, raw, dry, chewy, sour, bitter, inedible, lukewarm, noisy, loud, crowded, cramped, uncomfortable, hard, stuffy,
dangerous, unsafe, scary, creepy, shabby, run down, outdated, old fashioned, rusty, worn out, unacceptable, inexcusable,
outrageous, shameful, embarrassing, shocking, appalling, atrocious, abysmal, horrendous, horrid, horrific, hideous, vile,
repulsive, revolting, gross, foul, toxic, unbearable, intolerable, exhausting, tiring, stressful, painful, tragic, cringeworthy,
predictable, unoriginal, forgettable, shallow, soulless, lifeless, joyless, humourless, unfunny, pretentious, cheesy,
repetitive, incoherent, inaccurate, inadequate, insufficient, inferior, substandard, unsatisfactory, unimpressive, underwhelming,
insulting, offensive, disrespectful, dismissive, condescending, impatient, grumpy, angry, negative, harmful, evil, wicked,
laughable, sloppy, blurry, grainy, muddy, leaky, wobbly, itchy, tight, uninspired, unwatchable, unreadable, lacking, subpar,
a waste of time, a waste of money, a disaster, a mess, a joke, a disappointment, a nightmare, a failure, a letdown, a flop,
a scam, a rip off, a disgrace, a shame, a chore, a bore, the worst, below average, full of bugs, full of mistakes, too long,
too loud, too small, too expensive, too salty, too slow, too short, too complicated, out of order, not worth it""")

GOOD_FEELINGS = words("""happy, glad, delighted, pleased, thrilled, excited, satisfied, impressed, grateful, thankful, proud, relaxed,
amazed, overjoyed, cheerful, content, hopeful, inspired, lucky, blessed, comfortable, welcome, safe, at home, refreshed,
confident, touched, moved, ecstatic, elated, joyful, great, good, wonderful, fantastic, better, fine, calm, loved, fulfilled,
over the moon, pleasantly surprised, in love, in a good mood, optimistic, motivated, energised, charmed, relieved""")
BAD_FEELINGS = words("""sad, angry, upset, disappointed, annoyed, frustrated, furious, unhappy, miserable, bored, disgusted, irritated,
worried, stressed, exhausted, tired, depressed, lonely, ashamed, embarrassed, cheated, ignored, insulted, offended, sick, ill,
unwelcome, unsafe, uncomfortable, awful, terrible, bad, horrible, devastated, heartbroken, hurt, hopeless, helpless, lost,
confused, afraid, scared, anxious, nervous, dissatisfied, let down, ripped off, fed up, in a bad mood, betrayed, worse,
overwhelmed, drained, hungry, dizzy, jealous, bitter, regretful, appalled, shocked, underwhelmed, unimpressed""")

# Verbs as "I <verb> it", now and then.
GOOD_VERBS = words("""love, like, adore, enjoy, admire, appreciate, recommend, treasure, cherish, prefer, trust, respect, loved,
liked, adored, enjoyed, admired, appreciated, highly recommend, would recommend, am a big fan of, fell in love with,
am impressed by, am happy with, am thankful for, was blown away by, look forward to, praise, had fun with, laughed a lot at,
had a [great|wonderful|lovely|good] time with, can recommend, fully support, celebrate, am proud of, thank you for""")
BAD_VERBS = words("""hate, dislike, detest, despise, loathe, regret, hated, disliked, detested, regretted, avoid, returned,
am disappointed by, was disappointed by, am tired of, am sick of, am fed up with, cannot stand, can't stand, could not stand,
can't bear, was bored by, got sick from, complained about, wasted my [money|time|evening] on, lost [patience|interest] in,
gave up on, would avoid, would return, had problems with, had trouble with, am ashamed of, was appalled by, suffered through,
struggled with, had a [bad|terrible|awful|horrible] time with, am worried about, fear, want my money back for, cringed at""")
PLAIN_GOOD = words("love, like, enjoy, recommend, trust, appreciate, want, understand, need, believe")

GOOD_NOUNS = words("""joy, pleasure, fun, comfort, quality, charm, beauty, love, care, talent, kindness, taste, style, passion, humour,
wit, warmth, energy, value, magic, happiness, creativity, imagination, heart, respect, perfection, flavour, depth, support""")
BAD_NOUNS = words("""problems, issues, errors, mistakes, bugs, complaints, trouble, pain, delays, disappointment, regrets, stress, noise,
dirt, excuses, lies, nonsense, rubbish, garbage, trash, frustration, misery, chaos, clichés, flaws, defects, hate, anger, waste,
confusion, boredom, fear, crashes, arguments, tears""")

THINGS = words("""movie, film, book, story, show, series, episode, song, album, concert, play, game, plot, ending, acting, script, music,
soundtrack, actor, actress, cast, director, novel, author, chapter, character, dialogue, photography, restaurant, food, meal,
dinner, lunch, breakfast, soup, pizza, pasta, salad, steak, burger, bread, cake, dessert, coffee, tea, wine, beer, cheese, rice, fish,
chicken, sauce, sandwich, ice cream, menu, service, waiter, waitress, chef, staff, place, cafe, bar, hotel, room, bed, bathroom,
shower, view, pool, beach, lobby, breakfast buffet, location, trip, journey, flight, train, bus, taxi, driver, airport, airline, tour,
guide, holiday, vacation, weekend, city, town, village, park, museum, weather, day, morning, evening, night, summer, winter, party,
wedding, birthday, present, gift, phone, screen, battery, camera, laptop, computer, keyboard, mouse, printer, tablet, headphones,
speaker, sound, app, website, software, update, interface, design, feature, delivery, package, packaging, order, product, item,
price, value, quality, material, fabric, colour, color, size, shirt, dress, jacket, coat, shoes, boots, bag, watch, chair, table, sofa,
lamp, mattress, pillow, kitchen, oven, fridge, washing machine, vacuum cleaner, knife, pan, bike, bicycle, car, engine, tyre, garage,
mechanic, house, flat, apartment, garden, neighbour, landlord, street, school, teacher, class, course, lesson, lecture, exam, homework,
university, professor, job, boss, work, office, team, colleague, meeting, project, company, manager, customer service, support, doctor,
dentist, nurse, hospital, treatment, medicine, appointment, gym, trainer, match, player, coach, goal, race, dog, cat, puppy,
friend, family, brother, sister, mother, father, child, baby, people, crowd, idea, plan, result, experience, conversation, answer,
explanation, advice, speech, talk, presentation, news, photo, picture, painting, haircut, shop, store, market, bank, library, atmosphere,
decor, parking, line, queue, seat, ticket, event, festival, performance, singer, band, voice, lyrics, video, channel, article, recipe,
toy, puzzle, gadget, charger, cable, smell, taste, texture, portion, drink, cocktail, hair, skin, cream, shampoo, perfume""")

GOOD_EVENTS = words("""it works [perfectly|well|great|like a charm|as described|just as promised|exactly as expected|flawlessly],
it arrived [on time|early|quickly|the next day], it made [me smile|me laugh|my day|us all happy|my week|me cry happy tears],
it exceeded my expectations, it never lets me down, it was [well|totally|absolutely|really] worth [it|the money|the wait|every penny|the price],
everything [was|went] [perfect|fine|great|well|smoothly|as planned], we had [a lot of fun|a great time|a blast|a lovely evening|such a good time],
[they|the staff] [helped us|greeted us with a smile|made us feel at home|went out of their way|took good care of us|answered all my questions],
[I|we] [will|would] [definitely|certainly|gladly|surely] [come back|return|buy it again|order again|go again|watch it again|visit again],
I [can't|cannot] wait to [come back|see it again|go again|read more|try it again], I could not put it down, I could watch it all day,
I could not stop [laughing|smiling], I would do it again, I laughed [so hard|a lot|the whole time|from start to finish], I smiled all day,
five stars, two thumbs up, well done, good job, great job, nice work, keep it up, thank you [so much|very much|for everything], thanks a lot,
it couldn't be better, I couldn't be happier, could not ask for more, I have nothing to complain about, nothing to complain about,
my [kids|children|wife|husband|friends|parents|family] [love|loved|enjoyed|adore] it, everyone [loved|enjoyed|liked] it, it saved my life,
it solved [my problem|all my problems], it was fixed [quickly|in minutes|for free], it [tastes|smells|looks|feels|sounds] [great|amazing|wonderful|so good],
it keeps getting better, it gets better every time, better than [ever|expected|I expected|the last one|I thought|all the others],
the best [day|thing|purchase|decision|meal|film|book|trip] [ever|of my life|in years|in town|I have ever had|of the year], exactly what I needed,
just what I wanted, it fits perfectly, it fits like a glove, hats off, bravo, I passed my exam, we won, I got the job, she said yes,
it is still going strong, it looks like new, it lasts [all day|for ages|forever], the time flew by, it was over too soon, I got what I wanted,
I learned a lot, I am so lucky, things are looking up, what a relief, it brightened my day, it melts in the mouth, highly recommended,
a must see, a must read, a must have, not to be missed, don't miss it, you will not regret it, you won't be disappointed, do yourself a favour and go,
I would give it ten stars, ten out of ten, it never gets old, it was cheaper than I thought, money well spent, time well spent,
there was something for everyone, they gave me a full refund right away, they kept their promise, it runs smoothly, it is easy to use""")

BAD_EVENTS = words("""it [does not|doesn't|did not|didn't|never|no longer] [work|works|worked|fit|help|last|charge|start], it [broke|died|failed|fell apart|stopped working] [after|within] [a day|two days|a week|one month|an hour|the first use],
it arrived [late|broken|damaged|two weeks late|open|dirty], it never arrived, it crashes [all the time|every time|constantly|again and again], it keeps [crashing|freezing|breaking|failing],
it made me [sick|angry|cry|sad|ill|want to leave], it ruined [my day|our evening|the whole trip|everything|my shirt|the mood], it leaks, it smells, it hurts, it stinks, it sucks, this sucks,
it was not worth [it|the money|the wait|the price|my time], everything went wrong, nothing [works|worked|went right|was ready|was clean],
[they|the staff|the waiter|the manager] [ignored us|lied to us|shouted at me|forgot our order|was rude to us|laughed at us|did not care|didn't even apologise|kept us waiting|refused to help|cheated us|never answered],
[I|we] [will|would] never [come back|return|buy it again|order again|go again|recommend it|go there again], I want my money back, I asked for a refund, they refused [a refund|to pay],
I [fell asleep|walked out|turned it off|left early|stopped reading|gave up] [|halfway through|after ten minutes], I could not [finish|eat|sleep|use] [it|at all], I couldn't wait for it to end,
I [can't|cannot] believe how [bad|slow|rude|dirty] it was, we waited [for hours|an hour|forever|so long] [|for nothing|for our food], zero stars, one star, two thumbs down, never again, no thanks, avoid it, stay away, don't bother, don't buy it, do not waste your [time|money],
save your money, keep away from it, it could be better, it could have been better, it should have been better, it left me cold, it was over before it began, it let me down, it failed to [impress|work|deliver|please me],
my [kids|children|wife|husband|friends|parents|family] [hate|hated|disliked] it, everyone [hated|disliked] it, nobody [liked|enjoyed|helped|cared|answered|came|laughed|was there to help], it gave me a headache, it cost too much,
it [tastes|smells|looks|feels|sounds] [awful|terrible|bad|like plastic|so wrong|disgusting], it keeps getting worse, it gets worse every time, worse than [ever|expected|I expected|the last one|I thought|all the others],
the worst [day|thing|purchase|decision|meal|film|book|trip] [ever|of my life|in years|in town|I have ever had|of the year], not what I ordered, not what I expected, it is too small for me, shame on [you|them], what a shame, what a pity,
I failed my exam, we lost, I lost my job, she left me, my wallet was stolen, my phone was stolen, I missed my train, the flight was cancelled, it rained all day, I had a headache, my tooth hurts, I have a fever, I cried all night, I miss you so much,
I was charged twice, they overcharged us, it was a mistake to buy it, hours of my life I will never get back, I had to wait [an hour|two hours|all day], I was left alone, there was a hair in my soup, there was mould on the wall,
the battery dies [|after an hour|too fast|within an hour], we got food poisoning, I regret coming here, I expected more, I expected better, I had higher hopes, it fell short, it was all for nothing, it makes no sense, it is hard to use,
they broke their promise, it is falling apart, it went downhill, it is missing parts, the pages were torn, we had to leave, I almost fell asleep, it takes forever, my complaint was ignored, nobody picked up the phone""")

STRONG = words("very, really, so, extremely, absolutely, truly, totally, completely, incredibly, just, quite, pretty, simply, rather, super, too, always, still, utterly, especially, surprisingly, unbelievably, particularly, genuinely")
OPENERS = words("honestly, to be honest, in my opinion, overall, well, wow, all in all, frankly, in the end, I must say, I have to say, I think, I believe, I feel, personally, for me, as always, this time, yesterday, today, last night, last week, once again, in short, unfortunately or not, on the whole, so far, as a customer, for the price, at first sight, seriously, oh")
GOOD_MARKS = words("😀, 😊, 😍, ❤, 👍, 🎉, :), :D, 🙂, 🥰")
BAD_MARKS = words("😡, 😞, 😢, 👎, 💔, :(, 😠, 🤮, 😭, 🙁")

# What somebody did to somebody or something.
GOOD_DEEDS = words("""helped, saved, repaired, fixed, rescued, welcomed, thanked, hugged, supported, encouraged, comforted, praised,
rewarded, improved, cleaned, upgraded, protected, cured, healed, surprised and delighted, charmed, inspired, impressed, amazed,
cheered up, forgave, trusted, refunded, defended, restored, polished, looked after, took care of, listened to, stood by,
smiled at, laughed with, waited for, believed in, spoiled with presents, entertained, taught, calmed down, moved to tears""")
BAD_DEEDS = words("""stole, robbed, interrupted, ignored, shouted at, yelled at, lied to, cheated, insulted, attacked, threatened, hit,
kicked, bit, scratched, broke, smashed, destroyed, ruined, damaged, deleted, erased, lost, forgot, spilled wine on, stained,
wasted, spoiled, bored, annoyed, confused, frightened, scared, disappointed, betrayed, abandoned, rejected, overcharged, blamed,
bullied, mocked, laughed at, hurt, injured, misled, tricked, scammed, harassed, offended, humiliated, rushed, hung up on,
let down, burned, burnt, killed, crashed into, sabotaged, neglected, mistreated, cancelled, delayed, refused, pushed""")
GOOD_DONE = words("""repaired for free, fixed in no time, beautifully decorated, well cooked, cooked to perfection, well prepared,
carefully packed, freshly made, nicely furnished, well maintained, well explained, clearly explained, greatly improved,
handled with care, kept spotless, upgraded for free, solved at once, served with a smile, delivered early, beautifully filmed""")
BAD_DONE = words("""stolen, lost, cancelled, delayed, ruined, destroyed, smashed, crushed, scratched, stained, bent, ripped, cracked,
missing, sold out, overbooked, covered in dust, covered in dirt, infested, flooded, blocked, deleted, frozen, out of stock,
badly cooked, burnt black, poorly explained, never cleaned, never answered, left outside in the rain, falling to pieces,
full of holes, full of stains, not as described, not ready, not working, never on time, held together with tape, hacked""")
GOOD_WAYS = words("""beautifully, perfectly, wonderfully, brilliantly, patiently, kindly, clearly, carefully, smoothly, flawlessly,
quickly and well, politely, gracefully, superbly, nicely, reliably, very well, really well, like a dream, like magic, with a smile,
with great care, with so much love, better than before, faster than before, without a hitch, like new, effortlessly, happily""")
BAD_WAYS = words("""badly, poorly, terribly, horribly, awfully, rudely, carelessly, slowly, too slowly, very badly, like a snail, like a robot,
worse than before, slower than before, without any care, off key, wrongly, lazily, unfairly, half asleep, in a rude tone, like a child,
sloppily, for no reason, at a snail's pace, only once, with an attitude, miserably, dangerously, aggressively, not at all""")
GOOD_LIKENESS = words("""heaven, a dream, honey, home, paradise, magic, new, fresh flowers, summer, a warm hug, my grandmother's cooking, real butter,
roses, music to my ears, a five star hotel, being a child again, fresh bread, vanilla, a holiday, the real thing""")
BAD_LIKENESS = words("""plastic, soap, cardboard, rubber, garbage, dirty socks, wet dog, a prison, an old shoe, sand, chemicals, mud, glue, smoke, a hospital,
rotten eggs, vinegar, dishwater, a cheap copy, a bad joke, sewage, petrol, sweat, burnt hair, torture, dust, metal, medicine""")
BAD_FINDS = words("""cockroaches, mould, rats, mice, hair, stains, spiders, bed bugs, ants, flies, dirt, blood, broken glass, rubbish, garbage,
a bad smell, a dead fly, a hole, a crack, a leak, rust, dust, water damage, cigarette ends, a stain, worms, a strange smell, chewing gum, ads, spam, viruses""")
GOOD_MORE = words("faster, better, cleaner, easier, brighter, stronger, fresher, lighter, quieter, smarter, nicer, safer, happier, smoother, friendlier, tastier, warmer, healthier, more comfortable, more useful, more fun, more reliable")
BAD_MORE = words("slower, worse, dirtier, louder, weaker, smaller than promised, uglier, sadder, ruder, noisier, more boring, more expensive, less reliable, more confusing, less fun, more annoying, less helpful, heavier, more crowded, less tasty")
GOOD_LINES = words("""nothing beats [a|my|the|this] {t}, I can't imagine [life|a day|my {t}] without [it|my {t}], I can't live without [it|this {t}|my {t}],
I look forward to [every|the next] {t}, the {t} alone is worth the [trip|price|money|visit], it does [exactly|just] what it says, I would go back in a heartbeat, I slept [like a baby|so well|well],
we celebrated [all night|until morning|with the whole family], we danced [all night|until midnight], my favourite {t}, it is my favourite {t}, you are [my favourite person|the best|a star|an angel|so kind|my hero], I am a fan of [this|the] {t},
I don't think [it|the {t}|this] is {x}, I would choose [it|this {t}] again, it gets the job done, it makes life [easier|better], time for a celebration, congratulations [|on the {t}|to all of you], my {t} [won|was a success|is finally back|can walk again],
the {t} is good for [me|you|my back|my skin], we became friends, I fell in love, I have a new job, we are getting married, the baby is healthy, it keeps me [warm|fit|going|safe|calm], we all sang and laughed, I could [eat|watch|do|have] this every day,
it is a dream come true, I am feeling much better, I have recovered, [they|he|she] deserve a raise, I give [it|the {t}] full marks, thumbs up for the {t}, I will treasure [it|this {t}] forever, the {t} was [over too soon|sold with love], it exceeded all my hopes, thanks to the {t} [I passed|we won|I am well again]""")
BAD_LINES = words("""I have had enough of [this|the|my] {t}, enough is enough, I dread [my|the|every|this] {t}, I wish I had [never|not] [bought|seen|ordered|read|booked] [it|this {t}], I miss the old [{t}|version|one], I am not a fan of [this|the] {t},
[it|the {t}] is not as {x} as [the first one|before|the old one|it used to be], I don't think [it|the {t}|this] is [any good|{x}|very {x}], I doubt that [it|the {t}] is {x}, [they|he|she|you] never [answer|answers|listen|listens|help|helps|call back|say thank you], it is [okay|ok|fine|alright] but [nothing special|no more than that|I would not go again|not for me],
the {t} [hurts|hurt] my [feet|back|eyes|head|ears], my [feet|back|head|stomach|teeth] [hurt|hurts|hurts after the {t}], you should be ashamed [|of yourself], [is this|was that] a joke, the {t} [is|was] impossible to [use|understand|open|read|clean|reach|find], I had to [leave|change rooms|call the police|throw it away|pay twice|buy a new one|start again|return it],
this is the [second|third|fourth] time [it has broken|it failed|they forgot it|I complained], the neighbours [scream|shout|fight|argue] all [night|day], I [was|got] [sick|ill|robbed|soaked|stuck|lost|injured] [|during the {t}|after the {t}|on the way], we [argued|waited|got lost|froze|starved] [all day|the whole time|for hours],
the {t} [died|froze|stopped|broke] [during|after] the [first {t}|first day|{t}|call|trip], the {t} [won't|will not|would not] [open|close|start|work|charge|fit|stop crying|stop barking], I can't [sleep|hear anything|use it|log in|open it|find anything|afford it], the {t} was so {a} that I had to leave, nobody [told|warned|helped|thanked] [me|us],
my {t} [lost|lost again|is ill|is sick|was in an accident|left me], it rained [on our {t}|the whole time], it takes [hours|forever|too long|ages] to [load|start|arrive|clean|charge], they only want [your|our] money, they raised the price [again|], we were treated like [dirt|children|criminals|animals], I was on hold for [an hour|two hours|ages],
he is always [late|angry|rude|complaining], she cried [all night|the whole day|because of the {t}], it was the end of our {t}, we will have to [close|cancel|leave|sell the {t}], there were no [towels|plates|seats|tickets|vegetarian options|instructions] [|left]""")

GOOD_MOST = words("best, nicest, loveliest, kindest, funniest, happiest, greatest, sweetest, cleanest, tastiest, coolest, finest, friendliest, most {a}, most {a}, least {x}, absolute best")
BAD_MOST = words("worst, ugliest, rudest, dumbest, saddest, dirtiest, laziest, slowest, meanest, nastiest, poorest, weakest, most {a}, most {a}, least {x}, absolute worst")
